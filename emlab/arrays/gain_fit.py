"""Whether a gain reference is that of the frames: it shows in their finest structure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from emlab.arrays.module import array_module

Array = NDArray[Any]

_EVERY: Final = 8
"""Of so many rows one is looked at."""
_USUAL: Final = (0.3, 3.0)
"""The gain of pixels that count, in multiples of the mean."""
_HOT: Final = 4.0
"""The counts of pixels that do not, in multiples of the mean, where there are many; the beam is not that uneven."""
_CERTAIN: Final = 0.05
"""The slope's standard error, above which nothing is said."""


@dataclass(frozen=True)
class GainFit:
    """How much of the gain's fine structure is in raw counts.

    Attributes
    ----------
    slope
        -1 where the gain makes up for what the pixels lack; 0 where it has nothing to do with the counts: because it
        lies otherwise, is of another camera, or was applied before the movie was written.
    error
        The slope's standard error.
    """

    slope: float
    error: float

    @property
    def is_known(self) -> bool:
        """Whether the counts are enough to tell."""
        return self.error < _CERTAIN

    @property
    def fits(self) -> bool:
        """Whether the gain is that of the frames, lying as they do."""
        return self.slope < -0.5

    @property
    def is_foreign(self) -> bool:
        """Whether it is certainly not."""
        return self.is_known and self.slope > -0.25


def fit_gain(counts: Array, gain: Array) -> GainFit:
    """Compare the steps from each pixel to the next in raw counts with those in a gain.

    Ice, particles and the beam change slowly from pixel to pixel, and neighbouring electrons know nothing of each
    other; what is left is the camera's. The slope is that of a regression of the counts' steps on the gain's.

    Parameters
    ----------
    counts
        Of one frame or of several in sum, before any gain: (y, x).
    gain
        What to multiply them with, 0 at dead pixels: float32 (y, x).
    """
    xp = array_module(counts)
    counts, gain = counts[::_EVERY].astype(np.float32, copy=False), gain[::_EVERY]
    level = float(counts.mean())
    if not level > 0:
        return GainFit(0.0, np.inf)
    counts = counts / np.float32(level)
    gain = gain / gain.mean()
    usual = (gain > _USUAL[0]) & (gain < _USUAL[1]) & (counts < _HOT * (1 + 2 / np.sqrt(level)))
    steps = xp.where(usual[:, 1:] & usual[:, :-1], gain[:, 1:] - gain[:, :-1], np.float32(0))
    found = counts[:, 1:] - counts[:, :-1]
    squares, products = steps * steps, steps * found
    levels = (gain * usual, counts * usual)
    sums = (squares, products, products * products, products * squares, squares * squares, *levels)
    power, common, *more = (float(one) for one in xp.stack([one.sum(dtype=np.float64) for one in sums]))
    if not power > 0 or not np.isfinite(common) or not more[4] > 0:
        return GainFit(0.0, np.inf)
    slope = common / power
    spread = more[0] - 2 * slope * more[1] + slope**2 * more[2]
    scale = more[3] / more[4]  # what is unusual moves the means
    return GainFit(slope * scale, float(np.sqrt(max(spread, 0.0))) / power * scale)
