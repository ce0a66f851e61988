"""The slowest search: every candidate is compared with every sample of the spectrum."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from emlab.arrays.ctf import Defocus, Flattened, Lens, SearchRange

Array = NDArray[Any]


def exhaustive_search(
    data: Flattened, lens: Lens, within: SearchRange, step: float = 100.0, astigmatism_step: float = 300.0
) -> Defocus:
    """The candidate of a grid that correlates best with the spectrum up to 5 Å.

    It shares with `emlab.arrays.ctf.search` the flattened spectrum, and neither sectors nor paths.

    Parameters
    ----------
    step, astigmatism_step
        Å, of the mean defocus and of both components of the astigmatism.
    """
    data = data.up_to(1.0 / 5.0)
    rings = data.rings
    radii = np.sqrt(rings.squares)
    y, x = radii * np.sin(rings.angle), radii * np.cos(rings.angle)
    sphere = 0.5 * math.pi * lens.spherical_aberration * lens.wavelength**3 * rings.squares**2
    weights = rings.spread(data.weights) * np.exp(-0.5 * rings.squares / 0.15**2)
    components = astigmatism_step * np.arange(
        -(within.max_astigmatism // astigmatism_step), 1e-9 + within.max_astigmatism // astigmatism_step + 1
    )
    candidates = np.array(
        [
            (mean, straight, diagonal, phase)
            for phase in (range(0, 180, 30) if within.phase_shift else (0,))
            for mean in np.arange(within.min_defocus, within.max_defocus + 1.0, step)
            for straight, diagonal in product(components, components)
            if math.hypot(straight, diagonal) <= within.max_astigmatism
        ]
    )
    scores = np.empty(len(candidates))
    _score(
        candidates.astype(np.float32),
        (2.0 * math.pi * lens.wavelength * (x * x + y * y)).astype(np.float32),
        (math.pi * lens.wavelength * (x * x - y * y)).astype(np.float32),
        (2.0 * math.pi * lens.wavelength * x * y).astype(np.float32),
        (2.0 * (lens.contrast_phase - sphere)).astype(np.float32),
        (weights * data.excess).astype(np.float32),
        weights.astype(np.float32),
        scores,
    )
    mean, straight, diagonal, phase = candidates[int(scores.argmax())]
    return Defocus(float(mean), float(straight), float(diagonal), float(phase))


@numba.njit(cache=True, fastmath=True, parallel=False)  # type: ignore[untyped-decorator]
def _score(
    candidates: Array,
    focus: Array,
    straight: Array,
    diagonal: Array,
    constant: Array,
    excess: Array,
    weights: Array,
    scores: Array,
) -> None:
    for number in range(len(candidates)):
        mean, along, across, phase = candidates[number]
        turned = np.float32(2.0 * math.pi / 180.0) * phase
        likeness, norm = np.float32(0.0), np.float32(0.0)
        for i in range(excess.size):
            wave = -np.cos(mean * focus[i] + along * straight[i] + across * diagonal[i] + constant[i] + turned)
            likeness += wave * excess[i]
            norm += weights[i] * wave * wave
        scores[number] = likeness / math.sqrt(norm)
