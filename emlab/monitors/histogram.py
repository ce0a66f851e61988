"""Histograms and axes that one outlier cannot ruin."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emlab.model import Array

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)

ENOUGH = 20
"""Values from which quartiles tell what is usual."""


@dataclass(frozen=True)
class Histogram:
    """How often values fall into bins of equal width.

    Attributes
    ----------
    edges, counts
        Shapes (n + 1,) and (n,).
    beyond
        How many values lie outside the edges.
    ordered
        The values themselves, those that are finite, in ascending order.
    """

    edges: NDArray[np.float64]
    counts: NDArray[np.int64]
    beyond: int
    ordered: NDArray[np.float64]

    @property
    def centres(self) -> NDArray[np.float64]:
        """The middle of each bin, shape (n,)."""
        return (self.edges[:-1] + self.edges[1:]) / 2


def robust_range(values: Array) -> tuple[float, float]:
    """Give the limits of an axis that shows all values but the outliers, with a margin.

    A value is an outlier where it lies more than three interquartile ranges outside the quartiles; of fewer than
    `ENOUGH` values none is.

    Parameters
    ----------
    values
        Any shape; what is not finite is left out. Without any value the limits are 0 and 1.
    """
    first, last = _bulk(_ordered(values))
    margin = 0.05 * (last - first)
    # An axis of positive values does not reach below 0 for its margin.
    return max(first - margin, 0.0) if first >= 0 else first - margin, last + margin


def histogram(values: Array, bins: int = 30) -> Histogram:
    """Give the histogram of all values but the outliers, with round edges, in at most ``bins`` + 1 bins."""
    ordered = _ordered(values)
    low, high = _bulk(ordered)
    width = _round_up((high - low) / bins)
    first = math.floor(low / width)
    edges = np.arange(first, math.floor(high / width) + 2, dtype=np.float64) * width
    counts = np.diff(np.searchsorted(ordered, edges))
    return Histogram(edges, counts, int(ordered.size - counts.sum()), ordered)


def quantiles(ordered: NDArray[np.float64], shares: Sequence[float]) -> NDArray[np.float64]:
    """Give the values below which shares of all values lie; of finite ones in ascending order, shape (n,)."""
    return np.interp(np.multiply(shares, ordered.size - 1), np.arange(ordered.size), ordered)


def _ordered(values: Array) -> NDArray[np.float64]:
    finite = np.asarray(values, float)
    return np.sort(finite[np.isfinite(finite)])


def _bulk(ordered: NDArray[np.float64]) -> tuple[float, float]:
    """Give the least and the greatest value that are no outliers, never the same."""
    if not ordered.size:
        return 0.0, 1.0
    low, high = quantiles(ordered, (0.25, 0.75))
    reach = 3 * (high - low) if ordered.size >= ENOUGH else math.inf
    inside = ordered[np.searchsorted(ordered, low - reach) : np.searchsorted(ordered, high + reach, "right")]
    first, last = float(inside[0]), float(inside[-1])
    if first == last:
        half = 0.1 * abs(first) or 0.5
        return first - half, last + half
    return first, last


def _round_up(width: float) -> float:
    """Round a bin's width up to 1, 2, 2.5 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(width))
    return next(step for step in _STEPS if step * power >= width * (1 - 1e-9)) * power
