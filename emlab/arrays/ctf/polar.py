"""A spectrum and its model summed along lines of equal phase, in which astigmatism does not blur the rings."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from emlab.arrays.ctf.background import Flattened
from emlab.arrays.ctf.fit import Fit
from emlab.arrays.ctf.model import Lens
from emlab.arrays.ctf.phases import equal_phase, waves
from emlab.arrays.ctf.rings import binned
from emlab.arrays.cuda import Cuda
from emlab.arrays.kernel import kernel
from emlab.arrays.module import array_module

Array = NDArray[Any]

_CUDA: Final = Cuda(__file__)
RAYS: Final = 120
"""Directions in the half plane."""


@lru_cache(maxsize=1)
def polar_sums(data: Flattened, lens: Lens, fit: Fit) -> Array:
    """Number of samples, sums of their excess over the background, and of −cos 2χ: (3, row, ray), where they are.

    A row holds the phases that the mean defocus has within a ring; the first and the last, what is outside all rings.
    """
    rings, xp = data.rings, array_module(data.excess)
    shape = 3, rings.counts.size + 2, RAYS
    phase, wave = equal_phase(rings, lens, fit.defocus), waves(rings, lens, fit.defocus)
    given = data.excess, wave, phase, rings.angle, rings.ring, xp.asarray(fit.background)
    grid = float(rings.frequency[0]), rings.step, shape[1], RAYS
    if xp is np:
        sums = np.zeros(shape)
        _add(*given, *grid, sums)
        return sums
    cells, values = xp.empty((3, wave.size), np.int64), xp.empty((3, wave.size), np.float32)
    _CUDA("place", (wave.size,), *given, *grid, wave.size, cells, values)
    return binned(cells.ravel(), values.ravel(), math.prod(shape)).reshape(shape)


@kernel
def _add(
    excess: Array,
    wave: Array,
    phase: Array,
    angle: Array,
    ring: Array,
    background: Array,
    lowest: float,
    step: float,
    rows: int,
    rays: int,
    sums: Array,
) -> None:
    for i in range(wave.size):
        row = int(min(max(np.rint((phase[i] - lowest) / step), -1.0), rows - 2.0)) + 1
        ray = int((angle[i] / np.pi + 0.5) * rays)
        sums[0, row, ray] += 1.0
        sums[1, row, ray] += excess[i] - background[ring[i]]
        sums[2, row, ray] += wave[i]
