"""Lumps of ice that settled on the specimen."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def contamination(rng: np.random.Generator, shape: tuple[int, int], pixel_size: float, lumps: int) -> Array:
    """How thick ``lumps`` round pieces of ice are in projection, Å: float32 (y, x)."""
    y, x = (np.arange(size, dtype=np.float32) * pixel_size for size in shape)
    thickness = np.zeros(shape, np.float32)
    for _ in range(lumps):
        radius = rng.uniform(80.0, 260.0)
        centre = rng.uniform(0.1, 0.9, 2) * (y[-1], x[-1])
        stretch = rng.uniform(0.7, 1.0)
        square = ((y[:, None] - centre[0]) / stretch) ** 2 + (x[None, :] - centre[1]) ** 2
        thickness += (2.0 * radius * np.clip(1.0 - square / radius**2, 0.0, None)).astype(np.float32)
    return thickness
