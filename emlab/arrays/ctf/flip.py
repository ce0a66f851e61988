"""A micrograph with the contrast that the CTF inverted put right."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from emlab.arrays.ctf.model import Defocus, Lens, transfer
from emlab.arrays.fft import irfft2, rfft2
from emlab.arrays.module import array_module

Array = NDArray[Any]


def flip_phases(image: Array, pixel_size: float, lens: Lens, defocus: Defocus) -> Array:
    """The image with each frequency's sign made that of protein at low frequencies, dark: float32 (y, x).

    Parameters
    ----------
    image
        Axes (y, x); underfocus positive.
    pixel_size
        Å.
    """
    xp = array_module(image)
    spectrum = rfft2(image)
    ky = xp.fft.fftfreq(image.shape[0], pixel_size).astype(xp.float32)
    kx = xp.fft.rfftfreq(image.shape[1], pixel_size).astype(xp.float32)
    # A few rows at a time: whole arrays of angles would take several times the image's memory.
    for start in range(0, len(ky), 256):
        rows = ky[start : start + 256, None]
        squares = rows**2 + kx**2
        safe = xp.where(squares > 0, squares, xp.float32(1.0))
        wave = transfer(lens, squares, (kx**2 - rows**2) / safe, 2.0 * rows * kx / safe, defocus)
        spectrum[start : start + 256] *= xp.where(wave > 0, xp.float32(-1.0), xp.float32(1.0))
    return irfft2(spectrum, image.shape[1])
