"""When something that is wrong now began, from the records: whoever begins to look when finds the same."""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray


@dataclass(frozen=True)
class Course:
    """How bad it was, and when.

    Attributes
    ----------
    times
        Seconds since 1970-01-01 UTC, ascending, shape (looks,).
    badness
        At those times, shape (looks,).
    """

    times: NDArray[np.float64]
    badness: NDArray[np.float64]

    def onset(self, raised_at: float, cleared_at: float) -> float | None:
        """When the episode began that is not over at the end; ``None`` where there is none."""
        calm = np.flatnonzero(self.badness < cleared_at)
        after = int(calm[-1]) + 1 if calm.size else 0
        raised = np.flatnonzero(self.badness[after:] >= raised_at)
        return float(self.times[after + raised[0]]) if raised.size else None


def running_medians(values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Give the median of each ``count`` values in a row; shape (values - count + 1,), of at least ``count`` values."""
    return np.asarray(np.median(sliding_window_view(values, count), axis=1))


def medians_so_far(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the median of each value and all before it, shape (values,)."""
    ordered: list[float] = []
    medians = np.empty(values.size)
    for place, value in enumerate(values.tolist()):
        insort(ordered, value)
        medians[place] = (ordered[place // 2] + ordered[(place + 1) // 2]) / 2
    return medians
