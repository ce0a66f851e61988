"""How fast things happen."""

from __future__ import annotations

import numpy as np

from emlab.model import Array

WINDOW = 3600.0
"""Seconds that a rate looks back over."""


def per_hour(times: Array, now: float | None = None, window: float = WINDOW) -> float:
    """Give the events per hour during the last ``window`` seconds; nan before the second one.

    Intervals are counted, not events, so that the rate of a steady series does not depend on its length.

    Parameters
    ----------
    times
        Seconds, in any order; what is not finite is left out.
    now
        Where the window ends, seconds: with it the rate falls while nothing happens. The last event when it
        is left out.
    """
    finite = np.asarray(times, float)
    finite = np.sort(finite[np.isfinite(finite)])
    if finite.size < 2:
        return float("nan")
    end = max(float(finite[-1]), now if now is not None else -np.inf)
    recent = finite[finite >= end - window]
    if recent.size < 2:
        return 0.0
    span = end - float(recent[0])
    return (recent.size - 1) / span * 3600 if span > 0 else float("nan")
