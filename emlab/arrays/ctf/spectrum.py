"""The power spectrum of an image, for CTF estimation."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from emlab.arrays.fft import fast_length, rfft2
from emlab.arrays.module import array_module
from emlab.arrays.motion.spectrum import add_power, tile_power
from emlab.errors import DataError

Array = NDArray[Any]

_SMALLEST_TILE: Final = 128
"""px; a spectrum of less has no rings to fit."""
_ROUGH: Final = 8
"""px between those whose mean is taken off: what it leaves stays at the centre, where no fit looks."""


def tile_length(shape: tuple[int, ...], pixel_size: float, extent: float) -> int:
    """The length of a tile in px: at least ``extent`` Å where the image has them, and fast to transform.

    Raises
    ------
    DataError
        If the image is too small for any tile.
    """
    largest = min(shape[-2:])
    if largest < _SMALLEST_TILE:
        raise DataError(
            f"The image has {shape[-1]} × {shape[-2]} px; a power spectrum for CTF estimation needs at least "
            f"{_SMALLEST_TILE} px in each direction."
        )
    wanted = fast_length(round(extent / pixel_size))
    return max(_SMALLEST_TILE, min(wanted, _fast_part(largest)))


def tile_spectrum(image: Array, tile: int) -> Array:
    """Mean power of Hann tiles at every place of an image: float32 (tile, tile), the centre at [tile//2, tile//2].

    Parameters
    ----------
    image
        Axes (y, x), at least ``tile`` px each way; a few px are left out where that makes its transform fast.
    tile
        Even, px. The spatial frequency of column j is (j − tile//2) / (tile · pixel size), and so for rows.

    Notes
    -----
    Averaging over tiles tames the noise that the transform of a whole image keeps at every sample, and the window
    keeps strong low frequencies from leaking into the rings (Welch, 10.1109/TAU.1967.1161901).
    """
    xp = array_module(image)
    height, width = (_fast_part(length) for length in image.shape)
    part = image[:height, :width]
    transform = rfft2(part - part[::_ROUGH, ::_ROUGH].mean(dtype=np.float64).astype(np.float32))
    power = xp.zeros(transform.shape, xp.float32)
    add_power(transform, power)
    return tile_power(power, (height, width), tile)


def _fast_part(length: int) -> int:
    """The largest even length up to ``length`` whose transform is fast."""
    length -= length % 2
    while fast_length(length) != length:
        length -= 2
    return length
