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
_ANY: Final = 2000.0, 60_000.0
"""Å of the mean defocus: what is looked at beyond the range, lest the best fit within it be taken for a good one."""
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
    scores, candidates, allowed = _scored(data, lens, within)
    scores = np.where(allowed, scores, -np.inf)
    around = maximum_filter1d(scores, 2 * round(_NEIGHBOURHOOD / _DEFOCUS_STEP) + 1, axis=1)
    peaks = np.flatnonzero(allowed & (scores == around))
    heights = scores.ravel()[peaks]
    order = np.argsort(-heights, kind="stable")[:_CANDIDATES]
    best = peaks[order[heights[order] >= _WORSE * heights[order[0]]]]
    return [Defocus(*candidate) for candidate in candidates.reshape(-1, 4)[best].tolist()]


def search_beyond(data: Flattened, lens: Lens, within: SearchRange) -> Defocus | None:
    """A candidate outside of the range that is more like the spectrum than all that are within it."""
    scores, candidates, allowed = _scored(data, lens, within)
    best = np.unravel_index(int(scores.argmax()), scores.shape)
    return None if allowed[best[1]] else Defocus(*candidates[best].tolist())


@lru_cache(maxsize=2)
def _scored(data: Flattened, lens: Lens, within: SearchRange) -> tuple[Array, Array, Array]:
    """What is tried, within the range and beyond it, and how like the spectrum it is.

    Scores (phase shift, mean) of the best astigmatism, the candidates with it (phase shift, mean, 4), and which means
    are within the range.
    """
    sums, counts, frequency = _sectors(data)
    number, below, above = (
        math.floor(max(width, 0.0) / _DEFOCUS_STEP)
        for width in (
            within.max_defocus - within.min_defocus,
            within.min_defocus - _ANY[0],
            _ANY[1] - within.max_defocus,
        )
    )
    margin = math.ceil(within.max_astigmatism / 2.0 / _DEFOCUS_STEP)
    steps = np.arange(-below - margin, number + above + margin + 1)
    means = within.min_defocus + _DEFOCUS_STEP * steps
    tried, phase_shifts = slice(margin, steps.size - margin), _PHASE_SHIFTS if within.phase_shift else (0.0,)
    scores, candidates = np.empty((len(phase_shifts), means[tried].size)), []
    for score, phase_shift in zip(scores, phase_shifts, strict=True):
        templates, squares = _templates(lens, frequency.tobytes(), means.tobytes(), phase_shift, array_module(sums))
        found, pairs = _best_paths(templates @ sums, squares @ counts, within.max_astigmatism)
        score[:] = found[tried]
        candidates.append(np.column_stack([means, pairs, np.full(means.size, phase_shift)])[tried])
    return scores, np.stack(candidates), (steps[tried] >= 0) & (steps[tried] <= number)


def _sectors(data: Flattened) -> tuple[Array, Array, Array]:
    """Weighted sums of the excess and weighted numbers of samples, (ring, sector) each, and the rings' frequency."""
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


def _best_paths(likeness: Array, norm: Array, max_astigmatism: float) -> tuple[Array, Array]:
    """For each mean defocus the best score and the astigmatism, (mean, straight and diagonal) in Å, that has it.

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
        found = xp.empty((2, number), np.float32)
        _CUDA("rate", scores.shape, likeness, norm, number, _SECTORS, offsets, len(pairs), scores)
        _CUDA("choose", (number,), scores, number, len(pairs), found)
        score, chosen = to_host(found)
        return score, pairs[chosen.astype(np.int64)]
    margin = int(np.abs(offsets).max(initial=0))
    sectors = np.pad((likeness + 1j * norm).T, ((0, 0), (margin, margin)), mode="edge")
    for score, path in zip(scores, offsets + margin, strict=True):
        total = sum(sector[first : first + number] for sector, first in zip(sectors, path, strict=True))
        np.divide(total.real, np.sqrt(total.imag), out=score)
    best = scores.argmax(axis=0)
    return scores.max(axis=0), pairs[best]


@lru_cache(maxsize=8)
def _paths(max_astigmatism: float, xp: ModuleType) -> tuple[Array, Array]:
    """Candidates of the astigmatism, (candidate, straight and diagonal) in Å, and the path of each, (…, sector)."""
    doubled = 2.0 * np.pi * ((np.arange(_SECTORS) + 0.5) / _SECTORS - 0.5)
    steps = int(max_astigmatism // _ASTIGMATISM_STEP)
    grid = _ASTIGMATISM_STEP * np.arange(-steps, steps + 1)
    pairs = np.array([(x, y) for x in grid for y in grid if x * x + y * y <= max_astigmatism**2])
    local = 0.5 * (pairs[:, :1] * np.cos(doubled) + pairs[:, 1:] * np.sin(doubled))
    return pairs, xp.asarray(np.rint(local / _DEFOCUS_STEP).astype(int))
