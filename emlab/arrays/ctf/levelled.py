"""The spectrum that an image would have if its defocus were the same everywhere."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from emlab.arrays.ctf.background import Flattened
from emlab.arrays.ctf.model import Defocus, Lens
from emlab.arrays.ctf.tiles import Tiles
from emlab.arrays.kernel import kernel

Array = NDArray[Any]


def levelled(tiles: Tiles, lens: Lens, reference: Defocus, offsets: Array) -> Flattened:
    """The mean of tiles whose rings are moved to where ``reference`` has them.

    Parameters
    ----------
    offsets
        (tile,) defocus less that of the reference, Å.

    Notes
    -----
    Each sample is taken from the frequency at which the tile has the phase that the reference has here, as in
    CTFFIND5 (Elferich 2024, 10.7554/eLife.97227), with the spherical aberration and in each direction.
    """
    rings = tiles.rings
    half = rings.size // 2
    rows, columns = rings.index // rings.size, rings.index % rings.size - half
    places = np.full((rings.size, half + 1), -1, np.int32)
    places[rows, columns] = np.arange(rings.index.size)
    local = reference.mean + 0.5 * (reference.straight * rings.cosines + reference.diagonal * rings.sines)
    curvature = 0.5 * lens.spherical_aberration * lens.wavelength**2
    total, counts = np.zeros((2, rings.index.size), np.float32)
    for excess, offset in zip(tiles.excess, offsets, strict=True):
        there = np.maximum(local + offset, 1.0)
        delay = rings.squares * (local - curvature * rings.squares)
        root = np.sqrt(np.maximum(there**2 - 4.0 * curvature * delay, 0.0))
        stretch = np.sqrt(np.maximum(2.0 * delay / (there + root), 0.0) / rings.squares)
        _add(excess, places, (rows - half) * stretch + half, columns * stretch, total, counts)
    excess = total / np.maximum(counts, 1.0)
    sums = np.stack([rings.sums(excess), rings.sums(excess**2)], axis=1)
    return Flattened.of(rings, excess, tiles.whole.level, sums)


@kernel
def _add(excess: Array, places: Array, rows: Array, columns: Array, total: Array, counts: Array) -> None:
    """Add what lies at rows and columns, between four samples, where all of them are there."""
    height, width = places.shape
    for i in range(total.size):
        top, left = int(np.floor(rows[i])), int(np.floor(columns[i]))
        if top < 0 or left < 0 or top + 1 >= height or left + 1 >= width:
            continue
        a, b = places[top, left], places[top, left + 1]
        c, d = places[top + 1, left], places[top + 1, left + 1]
        if min(a, b, c, d) < 0:
            continue
        down, right = np.float32(rows[i] - top), np.float32(columns[i] - left)
        upper = excess[a] + right * (excess[b] - excess[a])
        lower = excess[c] + right * (excess[d] - excess[c])
        total[i] += upper + down * (lower - upper)
        counts[i] += 1.0
