"""What a fit needs of a spectrum's samples: sums over rings."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from emlab.arrays.ctf.background import Flattened
from emlab.arrays.ctf.model import Defocus, Lens, phase_delay
from emlab.arrays.cuda import Cuda
from emlab.arrays.module import array_module, to_host

Array = NDArray[Any]

_CUDA: Final = Cuda(__file__)
_LANES: Final = 32
"""Threads that share a ring."""
_PAIRS: Final = {count: np.tril_indices(count) for count in (6, 7)}


class Moments:
    """The moments of one spectrum for one defocus after the other.

    They are float64 (ring, i, j), weighted sums over each ring of vᵢ·vⱼ with v = (1, t, ∂t/∂unknowns, excess),
    t = −cos 2χ. The unknowns are those of `Defocus`, the phase shift (degrees) only if ``with_phase``.
    """

    def __init__(self, data: Flattened, lens: Lens, with_phase: bool) -> None:
        self._data, self._lens, self._with_phase = data, lens, with_phase
        self._count = 7 if with_phase else 6
        self._on_card = array_module(data.excess) is not np
        if not self._on_card:
            self._vectors = np.empty((self._count, data.excess.size), np.float32)
            self._vectors[0], self._vectors[-1] = 1.0, data.excess

    def __call__(self, defocus: Defocus) -> Array:
        """The moments of a defocus."""
        moments = self._of_card(defocus) if self._on_card else self._of_host(defocus)
        moments *= self._data.weights[:, None, None]
        return moments

    def _of_card(self, defocus: Defocus) -> Array:
        rings, excess, lens = self._data.rings, self._data.excess, self._lens
        xp, number = array_module(excess), rings.counts.size
        phase = lens.contrast_phase + math.radians(defocus.phase_shift)
        shape = lens.wavelength, 0.5 * lens.spherical_aberration * lens.wavelength**2, phase
        unknowns = defocus.mean, defocus.straight, defocus.diagonal
        left, right = _PAIRS[self._count]
        parts = xp.empty((number, left.size, _LANES), np.float64)
        given = rings.squares, rings.cosines, rings.sines, excess, *rings.bounds, number, _LANES
        _CUDA("moments", (number, _LANES), *given, *map(float, (*shape, *unknowns)), self._with_phase, parts)
        moments = np.empty((number, self._count, self._count))
        moments[:, left, right] = moments[:, right, left] = to_host(parts.sum(axis=-1))
        return moments

    def _of_host(self, defocus: Defocus) -> Array:
        rings, vectors = self._data.rings, self._vectors
        angle = 2.0 * phase_delay(self._lens, rings.squares, rings.cosines, rings.sines, defocus)
        _, wave, by_mean, by_straight, by_diagonal, *by_phase, _ = vectors
        np.negative(np.cos(angle, out=wave), out=wave)
        sine = 2.0 * np.sin(angle, out=angle)
        np.multiply(sine, rings.squares, out=by_mean)
        by_mean *= math.pi * self._lens.wavelength
        np.multiply(0.5 * by_mean, rings.cosines, out=by_straight)
        np.multiply(0.5 * by_mean, rings.sines, out=by_diagonal)
        if by_phase:
            np.multiply(sine, math.radians(1.0), out=by_phase[0])
        moments = np.empty((rings.counts.size, self._count, self._count))
        product = np.empty_like(wave)
        for i, left in enumerate(vectors):
            for j, right in enumerate(vectors[: i + 1]):
                np.multiply(left, right, out=product)
                moments[:, i, j] = moments[:, j, i] = rings.sums(product)
        return moments
