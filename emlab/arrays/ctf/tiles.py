"""Spectra of the tiles of an image, each with its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from emlab.arrays.ctf.background import Flattened, flatten, smoothed
from emlab.arrays.ctf.rings import Rings, rings_between
from emlab.arrays.fft import rfft2
from emlab.arrays.module import array_module, to_host
from emlab.errors import DataError

Array = NDArray[Any]

_LEVEL_KNOTS: Final = np.array([0.1, 0.25])
"""1/Å: in what a tile's background differs from that of the whole, no Thon ring is followed."""
_LARGEST: Final = 9.0
"""Excess that one of e⁻¹⁰ samples of noise has; what is larger is a spot and is cut to it."""
_FEWEST: Final = 3
"""Tiles each way, below which nothing is told about places."""


@dataclass(frozen=True)
class Tiles:
    """Flattened spectra of overlapping tiles.

    Attributes
    ----------
    whole
        The mean of them.
    excess
        (tile, sample) power over the tile's own smooth background, less 1; float32.
    y, x
        (tile,) middles, Å from the middle of the image.
    shape
        Tiles along y and x; tile n is in row n // shape[1].
    """

    whole: Flattened
    excess: Array
    y: Array
    x: Array
    shape: tuple[int, int]

    @property
    def rings(self) -> Rings:
        """Where the samples lie."""
        return self.whole.rings


def tiles_of(image: Array, pixel_size: float, tile: int, lowest: float, highest: float) -> Tiles:
    """Spectra of Hann tiles that overlap by half, between two spatial frequencies (1/Å).

    Parameters
    ----------
    image
        Axes (y, x).
    pixel_size
        Å.
    tile
        Even, px.

    Raises
    ------
    DataError
        If the image has fewer than three tiles each way, or is blank.
    """
    xp = array_module(image)
    corners = [_corners(length, tile) for length in image.shape]
    if min(len(each) for each in corners) < _FEWEST:
        raise DataError(
            f"The image has {image.shape[1]} × {image.shape[0]} px; to show how the defocus varies, it needs at least "
            f"{(_FEWEST + 1) * tile // 2} px in each direction, {_FEWEST} half-overlapping tiles of {tile} px."
        )
    rings = rings_between(tile, pixel_size, lowest, highest)
    rows = (rings.index // tile - tile // 2) % tile
    place = xp.asarray(rows * (tile // 2 + 1) + rings.index % tile - tile // 2)
    window = xp.hanning(tile + 1)[:-1].astype(xp.float32)
    window = window[:, None] * window
    power = np.empty((len(corners[0]) * len(corners[1]), rings.index.size), np.float32)
    for number, (top, left) in enumerate((top, left) for top in corners[0] for left in corners[1]):
        part = image[top : top + tile, left : left + tile].astype(xp.float32)
        transform = rfft2((part - part.mean()) * window).ravel()[place]
        power[number] = to_host(transform.real**2 + transform.imag**2)
    mean = np.zeros((tile, tile), np.float32)
    mean.ravel()[rings.index] = power.mean(axis=0)
    whole = flatten(mean, rings)
    power /= whole.level
    for each in power:
        level = smoothed(rings.means(each), rings, _LEVEL_KNOTS)
        each /= rings.spread(np.maximum(level, 0.05).astype(np.float32))
        np.minimum(each - 1.0, _LARGEST, out=each)
    middles = [(each + (tile - length) / 2) * pixel_size for each, length in zip(corners, image.shape, strict=True)]
    y, x = (axis.ravel() for axis in np.meshgrid(*middles, indexing="ij"))
    return Tiles(whole, power, y, x, (len(corners[0]), len(corners[1])))


def _corners(length: int, tile: int) -> Array:
    """First pixels of tiles that overlap by half, or somewhat more so that they reach both edges."""
    number = max(1, -(-2 * (length - tile) // tile) + 1)
    return np.rint(np.linspace(0, length - tile, number)).astype(np.int64)
