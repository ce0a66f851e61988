"""Movies made where they are needed, in seconds: a random specimen that moves smoothly, with counting noise.

The simulator's movies, by which accuracy is judged, take minutes of a CPU; speed does not depend on what is seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True)
class Case:
    """A movie.

    Attributes
    ----------
    name
        Of the figures.
    shape, frames
        (y, x) px, and how many.
    pixel_size
        Å.
    binning
        Of its sum.
    """

    name: str
    shape: tuple[int, int]
    frames: int
    pixel_size: float
    binning: float = 1.0

    @property
    def shifts(self) -> Array:
        """Displacement of the middle of the field: float64 (frame, yx), px."""
        settled = 1.0 - np.exp(-np.arange(self.frames) / 6.0)
        return np.stack([14.0 * settled, -9.0 * settled + 0.05 * np.arange(self.frames)], axis=1)

    def made(self, xp: ModuleType, counts: float = 0.9) -> Iterator[Array]:
        """Frames of uint8 counts, (y, x), made by ``xp``: NumPy or CuPy."""
        rng, margin = np.random.default_rng(5), 32
        height, width = (size + 2 * margin for size in self.shape)
        specimen = xp.asarray(rng.standard_normal((height // 2, width // 2), np.float32))
        # Two px wide, so that there is something to be seen at the frequencies that alignment uses.
        specimen = xp.repeat(xp.repeat(specimen, 2, axis=0), 2, axis=1)
        specimen = counts * xp.clip(1.0 + 0.15 * specimen, 0.0, None)
        y, x = (xp.linspace(-1.0, 1.0, size, dtype=np.float32) for size in self.shape)
        down, across = (xp.arange(size, dtype=np.float32) for size in self.shape)
        random = xp.random.default_rng(7)
        for number, (shift_y, shift_x) in enumerate(self.shifts):
            grown = float(1.0 - np.exp(-number / 8.0))
            seen_y = down[:, None] + margin - float(shift_y) - 1.5 * grown * y[:, None] * x
            seen_x = across + margin - float(shift_x) - 2.0 * grown * (x**2 - 0.33) * y[:, None]
            top, left = xp.floor(seen_y).astype(np.int32), xp.floor(seen_x).astype(np.int32)
            right = seen_x - left
            upper, lower = (
                specimen[row, left] * (1.0 - right) + specimen[row, left + 1] * right for row in (top, top + 1)
            )
            yield random.poisson(upper + (seen_y - top) * (lower - upper)).astype(np.uint8)


def gain_of(case: Case) -> Array:
    """A gain reference with dead pixels: float32 (y, x)."""
    rng = np.random.default_rng(9)
    gain = rng.normal(1.0, 0.02, case.shape).astype(np.float32)
    gain.ravel()[rng.integers(0, gain.size, 200)] = 0.0
    return gain
