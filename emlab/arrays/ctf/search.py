"""Where to start a fit: every defocus and astigmatism of a range, compared with the spectrum."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from types import ModuleType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d

from emlab.arrays.ctf.background import Flattened
from emlab.arrays.ctf.model import Defocus, Lens, phase_delay
from emlab.arrays.ctf.rings import Rings, binned
from emlab.arrays.cuda import Cuda
from emlab.arrays.module import array_module, to_host

Array = NDArray[Any]

_CUDA: Final = Cuda(__file__)
_FINEST: Final = 1.0 / 4.0
"""1/Å; beyond it the rings of neighbouring candidates differ too much."""
_DEFOCUS_STEP: Final = 50.0
"""Å between candidates; at 4 Å it turns the waves by half a radian at most."""
_ASTIGMATISM_STEP: Final = 300.0
"""Å between candidates, for each of the two components."""
_SECTORS: Final = 16
"""Of the half plane; across one the defocus hardly changes, whatever the astigmatism."""
_PHASE_SHIFTS: Final = 0.0, 30.0, 60.0, 90.0, 120.0, 150.0
"""Degrees, of the candidates when the phase shift is searched for; 180° more makes the same rings."""
_FADING: Final = 0.15
"""1/Å at which rings are taken to have faded to exp(−½)."""
_NEIGHBOURHOOD: Final = 200.0
"""Å; a fit finds its own way to a better candidate that is nearer than this."""
_CANDIDATES: Final = 5
"""At most."""
_WORSE: Final = 0.7
"""A candidate whose score is below this share of the best one's is not worth a fit."""


@dataclass(frozen=True)
class SearchRange:
    """What is searched.

    Attributes
    ----------
    min_defocus, max_defocus
        Of the mean defocus, Å.
    max_astigmatism
        Å.
    phase_shift
        Whether there is one to be found.
    """

    min_defocus: float
    max_defocus: float
    max_astigmatism: float
    phase_shift: bool = False


def search(data: Flattened, lens: Lens, within: SearchRange) -> list[Defocus]:
    """The few candidates most like the spectrum, best first, each the best of its neighbourhood.

    Notes
    -----
    A sector of the spectrum sees one defocus. How like it is to each defocus is a row of one matrix product, and the
    score of a candidate with astigmatism is a sum along a path through the rows: this is an exhaustive search
    (10.1016/j.jsb.2015.08.008) at the price of one without astigmatism.
    """
    sums, counts, frequency = _sectors(data)
    number = int((within.max_defocus - within.min_defocus) // _DEFOCUS_STEP)
    margin = math.ceil(within.max_astigmatism / 2.0 / _DEFOCUS_STEP)
    steps = np.arange(-margin, number + margin + 1)
    means, allowed = within.min_defocus + _DEFOCUS_STEP * steps, (steps >= 0) & (steps <= number)
    found: list[tuple[float, Defocus]] = []
    for phase_shift in _PHASE_SHIFTS if within.phase_shift else (0.0,):
        templates, squares = _templates(lens, frequency.tobytes(), means.tobytes(), phase_shift, array_module(sums))
        score, straight, diagonal = _best_paths(templates @ sums, squares @ counts, within.max_astigmatism)
        score = np.where(allowed, score, -np.inf)
        around = maximum_filter1d(score, 2 * round(_NEIGHBOURHOOD / _DEFOCUS_STEP) + 1)
        for best in np.flatnonzero(allowed & (score == around)):
            defocus = Defocus(float(means[best]), float(straight[best]), float(diagonal[best]), phase_shift)
            found.append((float(score[best]), defocus))
    found.sort(key=lambda candidate: -candidate[0])
    return [defocus for score, defocus in found[:_CANDIDATES] if score >= _WORSE * found[0][0]]


@lru_cache(maxsize=1)
def _sectors(data: Flattened) -> tuple[Array, Array, Array]:
    """Weighted sums of the excess and weighted numbers of samples, (ring, sector) each, and the rings' frequency.

    Of the last spectrum, which is searched twice.
    """
    data = data.up_to(_FINEST)
    rings = data.rings
    weights = array_module(data.excess).asarray(data.weights)[:, None]
    sums = binned(rings.cells(_SECTORS), data.excess, rings.counts.size * _SECTORS).reshape(-1, _SECTORS)
    return (weights * sums).astype(np.float32), (weights * _numbers(rings)).astype(np.float32), rings.frequency


@lru_cache(maxsize=4)
def _numbers(rings: Rings) -> Array:
    """How many samples there are: (ring, sector)."""
    cells = rings.cells(_SECTORS)
    ones = array_module(cells).ones(cells.size, np.float32)
    return binned(cells, ones, rings.counts.size * _SECTORS).reshape(-1, _SECTORS)


@lru_cache(maxsize=16)
def _templates(
    lens: Lens, frequencies: bytes, defoci: bytes, phase_shift: float, xp: ModuleType
) -> tuple[Array, Array]:
    """What the rings of each mean defocus look like, (defocus, ring), and its square; the same all session long."""
    frequency, means = np.frombuffer(frequencies), np.frombuffer(defoci)
    squares = frequency**2
    constant = phase_delay(lens, squares, 1.0, 0.0, Defocus(0.0, phase_shift=phase_shift))
    slope, fading = np.pi * lens.wavelength * squares, np.exp(-0.5 * (frequency / _FADING) ** 2)
    constant, slope, fading, means = (xp.asarray(one.astype(np.float32)) for one in (constant, slope, fading, means))
    templates: Array = -fading * xp.cos(2.0 * (constant + xp.outer(means, slope)))
    return templates, templates**2


def _best_paths(likeness: Array, norm: Array, max_astigmatism: float) -> tuple[Array, Array, Array]:
    """For each mean defocus the best score and the astigmatism, (straight, diagonal) in Å, that has it.

    Parameters
    ----------
    likeness, norm
        (defocus, sector): scalar products of template and spectrum, and of the template with itself. Summed along a
        path they give the score, how many standard deviations above 0 the height of the rings is.
    """
    number = len(likeness)
    xp = array_module(likeness)
    pairs, offsets = _paths(max_astigmatism, xp)
    scores = xp.empty((len(pairs), number), np.float32)
    if xp is not np:
        _CUDA("rate", scores.shape, likeness, norm, number, _SECTORS, offsets, len(pairs), scores)
        return to_host(scores.max(axis=0)), *pairs[to_host(scores.argmax(axis=0))].T
    margin = int(np.abs(offsets).max(initial=0))
    sectors = np.pad((likeness + 1j * norm).T, ((0, 0), (margin, margin)), mode="edge")
    for score, path in zip(scores, offsets + margin, strict=True):
        total = sum(sector[first : first + number] for sector, first in zip(sectors, path, strict=True))
        np.divide(total.real, np.sqrt(total.imag), out=score)
    best = scores.argmax(axis=0)
    return scores.max(axis=0), *pairs[best].T


@lru_cache(maxsize=8)
def _paths(max_astigmatism: float, xp: ModuleType) -> tuple[Array, Array]:
    """Candidates of the astigmatism, (candidate, straight and diagonal) in Å, and the path of each, (…, sector)."""
    doubled = 2.0 * np.pi * ((np.arange(_SECTORS) + 0.5) / _SECTORS - 0.5)
    steps = int(max_astigmatism // _ASTIGMATISM_STEP)
    grid = _ASTIGMATISM_STEP * np.arange(-steps, steps + 1)
    pairs = np.array([(x, y) for x in grid for y in grid if x * x + y * y <= max_astigmatism**2])
    local = 0.5 * (pairs[:, :1] * np.cos(doubled) + pairs[:, 1:] * np.sin(doubled))
    return pairs, xp.asarray(np.rint(local / _DEFOCUS_STEP).astype(int))
