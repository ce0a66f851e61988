"""Where no particle is to be looked for: contamination and the carbon film."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, binary_opening, gaussian_filter, maximum_filter, zoom

from emlab.arrays.picking.coarse import Coarse

Array = NDArray[Any]

_BREADTHS: Final = 0.5, 1.0
"""Diameters: standard deviations of the smaller of the two blurs whose difference shows lumps."""
_DIFFERENT: Final = 0.5
"""Standard deviations of the noise by which a lump is darker than what is around it, at least."""
_BROADER: Final = 0.05
"""What that is of the answer of the filter for particles nearby, at least: a disc or a ball of the particle's
diameter has 0.03, one 1.3 times as large 0.06 to 0.09, one three times as large 0.1 to 0.3."""
_MARGIN: Final = 0.5
"""Diameters around a lump that are avoided too."""
_APART: Final = 0.8
"""Share of the variance of brightness that two levels explain where there is a film: 0.64 for a normal distribution,
0.75 for a slope."""
_ROUGHER: Final = 0.02
"""By how much, in logarithms, the film's pixels spread more than the ice's, although it is the darker of the two."""
_FEWEST: Final = 30
"""Cells of the field, below which a film is not looked for."""


def lumps(coarse: Coarse, diameter: float, scores: Array, noise: Array) -> Array:
    """Where something dark is broader than a particle, with a margin: bool (y, x).

    Parameters
    ----------
    diameter
        Of the particle, Å.
    scores, noise
        Of `score_map` and `noise_map`: float32 (y, x).

    Notes
    -----
    Pieces of ice and of ethane change the mean of what is larger than a particle by absorption; particles hardly do,
    as the CTF takes their low frequencies.
    """
    sizes = [2 * math.ceil(diameter / length) + 1 for length in coarse.pixel_size]
    nearby = maximum_filter(np.abs(scores * np.where(np.isfinite(noise), noise, 0.0)), sizes)
    least = np.maximum(_DIFFERENT * np.median(noise), _BROADER * nearby)
    found = np.zeros(coarse.image.shape, bool)
    for breadth in _BREADTHS:
        narrow, wide = (
            gaussian_filter(coarse.image, [factor * breadth * diameter / length for length in coarse.pixel_size])
            for factor in (1.0, 2.0)
        )
        found |= wide - narrow > least
    return _widened(found, coarse, _MARGIN * diameter)


def film(image: Array, coarse: Coarse, pixel_size: float, diameter: float, usable: Array) -> Array:
    """Where the carbon film is, if part of the field lies on it: bool (y, x), of the coarse image.

    Parameters
    ----------
    image
        The micrograph, (y, x).
    pixel_size
        Its, Å.
    usable
        Bool (y, x), of the coarse image: what lies outside says nothing.

    Notes
    -----
    A film divides the brightness of cells of a particle's size into two levels, the darker of which is the rougher:
    thick ice is darker too, and not rougher. The two levels are Otsu's (10.1109/TSMC.1979.4310076).
    """
    nowhere = np.zeros(coarse.image.shape, bool)
    cell = round(diameter / pixel_size)
    rows, columns = image.shape[0] // cell, image.shape[1] // cell
    cells = image[: rows * cell, : columns * cell].reshape(rows, cell, columns, cell)
    means = cells.mean(axis=(1, 3), dtype=np.float64)
    spreads = np.log(np.maximum(cells.std(axis=(1, 3), dtype=np.float32), 1e-12))
    seen = zoom(usable.astype(np.float32), (rows / usable.shape[0], columns / usable.shape[1]), order=1) > 0.99
    if np.count_nonzero(seen) < _FEWEST:
        return nowhere
    level, explained = _two_levels(means[seen])
    # Of fewer cells it may be particles.
    dark = binary_opening(means <= level, np.ones((3, 3), bool))
    if not (dark & seen).any():
        return nowhere
    rougher = spreads[dark & seen].mean() - spreads[~dark & seen].mean()
    if explained < _APART or rougher < _ROUGHER:
        return nowhere
    covered = (
        coarse.image.shape[0] * rows * cell / image.shape[0],
        coarse.image.shape[1] * columns * cell / image.shape[1],
    )
    shares = [
        np.minimum(((np.arange(n) + 0.5) / size * count).astype(int), count - 1)
        for n, size, count in zip(coarse.image.shape, covered, (rows, columns), strict=True)
    ]
    return _widened(dark[shares[0][:, None], shares[1]], coarse, _MARGIN * diameter)


def _two_levels(values: Array) -> tuple[float, float]:
    """Otsu's threshold, and what share of the variance the two levels explain."""
    ordered = np.sort(values)
    below = np.arange(1, ordered.size)
    sums = np.cumsum(ordered)
    difference = sums[:-1] / below - (sums[-1] - sums[:-1]) / (ordered.size - below)
    between = below * (ordered.size - below) / ordered.size**2 * difference**2
    best = int(between.argmax())
    return float(ordered[best]), float(between[best] / max(ordered.var(), 1e-30))


def _widened(found: Array, coarse: Coarse, distance: float) -> Array:
    if not found.any():
        return found
    reach = [int(distance / length) for length in coarse.pixel_size]
    y, x = np.ogrid[-reach[0] : reach[0] + 1, -reach[1] : reach[1] + 1]
    disc = (y * coarse.pixel_size[0]) ** 2 + (x * coarse.pixel_size[1]) ** 2 <= distance**2
    return binary_dilation(found, disc)  # type: ignore[no-any-return]
