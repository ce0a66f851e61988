"""What a fit needs of a spectrum's samples: sums over rings."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from emlab.arrays.ctf.background import Flattened
from emlab.arrays.ctf.model import Defocus, Lens, phase_delay, phase_terms
from emlab.arrays.ctf.rings import added
from emlab.arrays.cuda import Cuda
from emlab.arrays.kernel import kernel
from emlab.arrays.module import array_module

Array = NDArray[Any]

_CUDA: Final = Cuda(__file__)


@lru_cache(maxsize=2)
def moments(data: Flattened, lens: Lens, defocus: Defocus, with_phase: bool) -> Array:
    """The moments of a spectrum for a defocus, kept while one question after the other is asked about it.

    They are float64 (ring, i, j), weighted sums over each ring of vᵢ·vⱼ with v = (1, t, ∂t/∂unknowns, excess),
    t = −cos 2χ. The unknowns are those of `Defocus`, the phase shift (degrees) only if ``with_phase``.
    """
    number = 7 if with_phase else 6
    if array_module(data.excess) is not np:
        rings = data.rings
        given = rings.squares, rings.cosines, rings.sines, data.excess, *phase_terms(lens, defocus), with_phase
        sums = added(_CUDA, "moments", rings.bounds, number * number, *given).reshape(-1, number, number)
    else:
        sums = np.empty((data.rings.counts.size, number, number))
        _add_products(_vectors(data, lens, defocus, number), data.rings.starts, data.rings.counts, sums)
    sums *= data.weights[:, None, None]
    sums.flags.writeable = False
    return sums


def _vectors(data: Flattened, lens: Lens, defocus: Defocus, number: int) -> Array:
    """(number, sample) of v."""
    squares, cosines, sines = data.rings.squares, data.rings.cosines, data.rings.sines
    vectors = np.empty((number, squares.size), np.float32)
    angle = 2.0 * phase_delay(lens, squares, cosines, sines, defocus)
    ones, wave, by_mean, by_straight, by_diagonal, *by_phase, last = vectors
    ones[:], last[:] = 1.0, data.excess
    np.negative(np.cos(angle, out=wave), out=wave)
    sine = 2.0 * np.sin(angle, out=angle)
    np.multiply(sine, squares, out=by_mean)
    by_mean *= math.pi * lens.wavelength
    np.multiply(0.5 * by_mean, cosines, out=by_straight)
    np.multiply(0.5 * by_mean, sines, out=by_diagonal)
    if by_phase:
        np.multiply(sine, math.radians(1.0), out=by_phase[0])
    return vectors


@kernel
def _add_products(vectors: Array, starts: Array, counts: Array, sums: Array) -> None:
    """Of each ring, which the cache holds meanwhile, the scalar products of all pairs."""
    for ring in range(starts.size):
        first, last = starts[ring], starts[ring] + counts[ring]
        for i in range(len(vectors)):
            for j in range(i + 1):
                left, right, total = vectors[i, first:last], vectors[j, first:last], 0.0
                for n in range(left.size):
                    total += np.float64(left[n]) * np.float64(right[n])
                sums[ring, i, j] = sums[ring, j, i] = total
