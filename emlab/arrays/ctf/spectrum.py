"""Power spectra averaged over overlapping tiles."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from emlab.arrays.fft import fast_length, rfft2
from emlab.arrays.module import array_module
from emlab.errors import DataError

Array = NDArray[Any]

_SMALLEST_TILE: Final = 128
"""px; a spectrum of less has no rings to fit."""
_ROUGH: Final = 8
"""px between those that a tile's mean is taken of."""


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
            f"{_SMALLEST_TILE} px each way."
        )
    wanted = fast_length(round(extent / pixel_size))
    return max(_SMALLEST_TILE, min(wanted, largest - largest % 2))


def tile_spectrum(image: Array, tile: int) -> Array:
    """Mean power of Hann tiles that overlap by half or more: float32 (tile, tile), the centre at [tile//2, tile//2].

    Parameters
    ----------
    image
        Axes (y, x), at least ``tile`` px each way.
    tile
        Even, px. The spatial frequency of column j is (j − tile//2) / (tile · pixel size), and so for rows.

    Notes
    -----
    Welch's method, 10.1109/TAU.1967.1161901: averaging tiles tames the noise that the transform of a whole image
    keeps at every sample, and the window keeps strong low frequencies from leaking into the rings.
    """
    xp = array_module(image)
    window = 0.5 - 0.5 * xp.cos(2.0 * np.pi / tile * xp.arange(tile, dtype=xp.float32))
    window = window[:, None] * window
    half = xp.zeros((tile, tile // 2 + 1), xp.float32)
    windowed = xp.empty((tile, tile), xp.float32)
    height, width = image.shape
    starts = [(y, x) for y in _starts(height, tile) for x in _starts(width, tile)]
    for y, x in starts:
        part = image[y : y + tile, x : x + tile]
        # What a rough mean leaves stays at the centre of the spectrum, where no fit looks.
        xp.subtract(part, part[::_ROUGH, ::_ROUGH].mean(dtype=xp.float32), out=windowed)
        windowed *= window
        squares = rfft2(windowed).view(xp.float32)
        squares *= squares
        half += squares[:, ::2]
        half += squares[:, 1::2]
    half /= len(starts)
    return _centred(half)


def _starts(length: int, tile: int) -> list[int]:
    steps = -(-2 * (length - tile) // tile)
    return [round(start) for start in np.linspace(0, length - tile, steps + 1)]


def _centred(half: Array) -> Array:
    """The whole spectrum of a half one, its zero frequency in the middle."""
    xp = array_module(half)
    size = half.shape[0]
    middle = size // 2
    rows = xp.fft.fftshift(half, axes=0)
    whole: Array = xp.empty((size, size), half.dtype)
    whole[:, middle:] = rows[:, :middle]
    whole[:, 0] = rows[:, middle]
    opposite = xp.roll(rows[::-1], 1, axis=0)
    whole[:, 1:middle] = opposite[:, middle - 1 : 0 : -1]
    return whole
