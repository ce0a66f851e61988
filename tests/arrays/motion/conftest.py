"""Movies of a random specimen that moves exactly as told."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates

Array = NDArray[Any]


class Film(Protocol):
    """Makes a movie: Poisson counts (frame, y, x) around ``dose`` of a specimen displaced by ``shifts``."""

    def __call__(
        self,
        shape: tuple[int, int],
        shifts: Array,
        *,
        dose: float = ...,
        contrast: float = ...,
        within: Array | None = ...,
        seed: int = ...,
        noise: bool = ...,
    ) -> Array: ...


def filmed(
    shape: tuple[int, int],
    shifts: Array,
    *,
    dose: float = 1.0,
    contrast: float = 0.25,
    within: Array | None = None,
    seed: int = 0,
    noise: bool = True,
) -> Array:
    """``within`` adds displacements that depend on the place: (frame, yx, y, x)."""
    rng = np.random.default_rng(seed)
    margin = 8 + int(np.abs(shifts).max()) + (0 if within is None else int(np.abs(within).max()))
    specimen = gaussian_filter(rng.normal(size=(shape[0] + 2 * margin, shape[1] + 2 * margin)), 1.5)
    specimen *= contrast / specimen.std()
    grid = np.stack(np.meshgrid(*(np.arange(size) for size in shape), indexing="ij")) + float(margin)
    frames = []
    for number, shift in enumerate(shifts):
        moved = shift[:, None, None] if within is None else shift[:, None, None] + within[number]
        seen = dose * np.clip(1.0 + map_coordinates(specimen, grid - moved, order=5), 0.0, None)
        frames.append(rng.poisson(seen) if noise else seen)
    return np.array(frames)


@pytest.fixture(scope="session")
def film() -> Film:
    return filmed
