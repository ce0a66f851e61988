"""A micrograph as coarse as particles of a size allow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from emlab.arrays.crop import cropped_spectrum
from emlab.arrays.fft import fast_length, irfft2, rfft2
from emlab.arrays.module import to_host
from emlab.errors import DataError

Array = NDArray[Any]

_ACROSS: Final = 14
"""px across a particle: what is finer says little about where a particle is."""
_FEWEST: Final = 6
"""px across a particle, below which its place cannot be told."""


@dataclass(frozen=True, eq=False)
class Coarse:
    """A micrograph made small.

    Attributes
    ----------
    spectrum
        Half spectrum, complex64 (y, x // 2 + 1); the mean is left out.
    image
        Float32 (y, x); the mean is left out.
    squares
        Squared spatial frequencies of ``spectrum``, 1/Å².
    pixel_size
        (y, x), Å.
    scale
        (y, x), px of the micrograph per px of this: a place here times the scale is a place there.
    """

    spectrum: Array
    image: Array
    squares: Array
    pixel_size: tuple[float, float]
    scale: tuple[float, float]

    def filtered(self, transfer: Array) -> Array:
        """The image with each frequency multiplied by ``transfer``: float32 (y, x)."""
        return irfft2(self.spectrum * transfer.astype(np.float32), self.image.shape[1])


def coarsened(image: Array, pixel_size: float, diameter: float) -> Coarse:
    """The micrograph with some 14 px across a particle.

    Parameters
    ----------
    image
        Axes (y, x).
    pixel_size
        Å.
    diameter
        Of the particle, Å.

    Raises
    ------
    DataError
        If a particle is larger than half the image, or smaller than six pixels.
    """
    field = min(image.shape) * pixel_size
    if not _FEWEST * pixel_size <= diameter <= field / 2:
        raise DataError(
            f"Particles of {diameter:g} Å cannot be found on a micrograph of {image.shape[1]} × {image.shape[0]} px "
            f"of {pixel_size:g} Å: the diameter must be between {_FEWEST * pixel_size:.3g} and {field / 2:.4g} Å. "
            "Check the diameter and the pixel size."
        )
    wanted = max(1.0, diameter / (_ACROSS * pixel_size))
    height, width = (min(fast_length(round(length / wanted)), length - length % 2) for length in image.shape)
    spectrum = to_host(cropped_spectrum(rfft2(image), image.shape[1], (height, width)))
    spectrum[0, 0] = 0.0
    scale = image.shape[0] / height, image.shape[1] / width
    sizes = scale[0] * pixel_size, scale[1] * pixel_size
    rows, columns = np.fft.fftfreq(height, sizes[0]), np.fft.rfftfreq(width, sizes[1])
    squares = (rows[:, None] ** 2 + columns**2).astype(np.float32)
    return Coarse(spectrum, irfft2(spectrum, width), squares, sizes, scale)
