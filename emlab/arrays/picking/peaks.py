"""The best places of a map, none near another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter
from scipy.spatial import cKDTree

Array = NDArray[Any]


def best_places(scores: Array, least: float, apart: Sequence[float], allowed: Array) -> Array:
    """Places of the highest scores, the best first: float64 (place, 3) as y, x (px, with fractions) and score.

    Parameters
    ----------
    scores
        Axes (y, x).
    least
        Score that a place must have.
    apart
        (y, x), px: around a place, the ellipse of these half axes holds no worse one.
    allowed
        Bool (y, x): where a place may be. The slope of a hill outside is none.

    Notes
    -----
    A place is the top of the parabolas through its pixel and the neighbours, along each axis.
    """
    tops = scores == maximum_filter(scores, 3, mode="constant", cval=-np.inf)
    y, x = np.nonzero(tops & allowed & (scores >= least))
    order = np.argsort(-scores[y, x], kind="stable")
    y, x = y[order], x[order]
    scaled = np.column_stack([y / apart[0], x / apart[1]])
    tree = cKDTree(scaled)
    alive, chosen = np.ones(len(y), bool), []
    for number, place in enumerate(scaled):
        if alive[number]:
            chosen.append(number)
            alive[tree.query_ball_point(place, 1.0)] = False
    y, x = y[chosen], x[chosen]
    return np.column_stack([y + _top(scores, y, x, 0), x + _top(scores, y, x, 1), scores[y, x]])


def _top(scores: Array, y: Array, x: Array, axis: int) -> Array:
    """How far from its pixel the top lies along an axis, px; 0 at the edge."""
    step = (1, 0) if axis == 0 else (0, 1)
    padded = np.pad(scores, 1, mode="edge").astype(np.float64)
    before = padded[y + 1 - step[0], x + 1 - step[1]]
    middle = padded[y + 1, x + 1]
    after = padded[y + 1 + step[0], x + 1 + step[1]]
    curvature = before - 2.0 * middle + after
    offset = np.divide(0.5 * (before - after), curvature, out=np.zeros_like(middle), where=curvature < 0.0)
    return np.clip(offset, -0.5, 0.5)  # type: ignore[no-any-return]
