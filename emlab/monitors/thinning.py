"""Which of many points to draw."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def thinned(count: int, limit: int) -> NDArray[np.intp]:
    """Give the indices of at most ``limit`` of ``count`` points.

    The newest are there without a gap, half of ``limit``; the older ones at equal steps.
    """
    if count <= limit:
        return np.arange(count)
    newest = limit // 2
    older = np.linspace(0, count - newest, limit - newest, endpoint=False).astype(np.intp)
    return np.concatenate([older, np.arange(count - newest, count)])
