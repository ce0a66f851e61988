"""Counts taken apart into the electrons that a camera reports one by one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def raw_frames(frames: Array, parts: int, rng: np.random.Generator) -> Iterator[Array]:
    """Raw frames of an event camera, bool (y, x): ``parts`` for each of ``frames`` (frame, y, x), which are counts.

    Each count falls into one of the parts. Of two in the same pixel of one raw frame a camera sees one, so bright
    movies lose some.
    """
    for frame in frames:
        places = np.repeat(np.arange(frame.size, dtype=np.int32), frame.ravel())
        fallen = rng.integers(parts, size=places.size)
        for part in range(parts):
            seen = np.zeros(frame.shape, bool)
            seen.ravel()[places[fallen == part]] = True
            yield seen
