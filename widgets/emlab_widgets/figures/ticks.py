"""Where an axis has its ticks: at round numbers and at full minutes and hours, and few of them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

MOST = 5

_TIMES = (1, 2, 5, 10, 15, 30, *(60 * n for n in (1, 2, 5, 10, 15, 30)), *(3600 * n for n in (1, 2, 3, 6, 12, 24)))
_DAY = 86400


def number_ticks(low: float, high: float) -> tuple[NDArray[np.float64], str]:
    """Give round numbers from ``low`` to ``high``, and the form to write them in."""
    least = (high - low) / MOST
    power = math.floor(math.log10(least))
    factor = next(factor for factor in (1.0, 2.0, 2.5, 5.0, 10.0) if factor * 10.0**power >= least * (1 - 1e-9))
    step = factor * 10.0**power
    decimals = max(-power + (factor == 2.5) - (factor == 10.0), 0)
    ticks = step * np.arange(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1, dtype=np.float64)
    return ticks, f",.{decimals}f"


def time_ticks(low: float, high: float) -> tuple[NDArray[np.datetime64], str]:
    """Give full seconds, minutes, hours or days between two times, and the form to write them in.

    Parameters
    ----------
    low, high
        Seconds since 1970-01-01.
    """
    least = (high - low) / MOST
    step = next((step for step in _TIMES if step >= least), math.ceil(least / _DAY) * _DAY)
    ticks = np.arange(math.ceil(low / step), math.floor(high / step) + 1) * step
    form = "%H:%M:%S" if step < 60 else "%H:%M" if high - low < 2 * _DAY else "%b %d"
    return (ticks * 1e3).astype("datetime64[ms]"), form
