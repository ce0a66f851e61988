"""Frames moved back, in Fourier space."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from emlab.arrays.cuda import Cuda
from emlab.arrays.module import array_module

Array = NDArray[Any]

_CUDA: Final = Cuda(__file__)


def moved(spectra: Array, width: int, shifts: Array) -> Array:
    """Frames whose displacement is undone: complex64 (frame, y, width // 2 + 1).

    Parameters
    ----------
    spectra
        Half spectra, complex64 (frame, y, width // 2 + 1).
    width
        Of the images, px.
    shifts
        Displacement of the specimen: float64 (frame, yx), px.
    """
    xp = array_module(spectra)
    result = xp.empty_like(spectra)
    frames, height, columns = spectra.shape
    if xp is not np:
        size = frames, height, columns, width
        _CUDA("move", (frames * height, columns), spectra, *size, xp.ascontiguousarray(shifts), result)
        return result  # type: ignore[no-any-return]
    for frame, shift, out in zip(spectra, shifts, result, strict=True):
        along_y, along_x = ramps(height, width, shift)
        np.multiply(frame, along_y[:, None], out=out)
        out *= along_x
    return result  # type: ignore[no-any-return]


def ramps(height: int, width: int, shift: Any) -> tuple[Array, Array]:
    """exp(2πi k·shift) along y and along x: what was displaced by +shift (y, x) goes back."""
    along_y = np.exp(2j * np.pi * np.fft.fftfreq(height) * shift[0])
    along_x = np.exp(2j * np.pi * np.fft.rfftfreq(width) * shift[1])
    return along_y.astype(np.complex64), along_x.astype(np.complex64)
