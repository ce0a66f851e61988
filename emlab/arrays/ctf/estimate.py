"""The fit of a spectrum: found by searching, refined, and held against its rivals."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from emlab.arrays.ctf.background import Flattened
from emlab.arrays.ctf.fit import Fit, refine
from emlab.arrays.ctf.model import Lens
from emlab.arrays.ctf.search import SearchRange, search, search_beyond
from emlab.arrays.ctf.thickness import shows_nodes, with_nodes

Array = NDArray[Any]

_RIVAL: Final = 10.0
"""A fit whose gain is that much less is right once in 150 times."""
_APART: Final = 100.0
"""Å of the mean defocus between fits that are told apart."""
_BEFORE_NODES: Final = 1.0 / 8.0
"""1/Å; rings that even thick ice does not invert."""
_VALLEY: Final = 3000.0
"""Å along which a defocus can make up for a wrong phase shift."""


def estimate(data: Flattened, lens: Lens, within: SearchRange, *, nodes: bool = False) -> Fit:
    """The fit that explains a flattened spectrum best, of all that the search finds worth refining.

    Its covariance counts in the others that explain the spectrum nearly as well. One outside of the range that does
    so better is named as its rival.

    Parameters
    ----------
    nodes
        Whether thick ice is looked for, in which the rings vanish and return inverted.
    """
    starts = search(data, lens, within)
    if within.phase_shift:
        # A wrong phase shift can make up for rings that thick ice inverts.
        coarse = search(data.up_to(_BEFORE_NODES), lens, within)
        starts += [start for start in coarse if abs(start.mean - starts[0].mean) < _VALLEY]
    fits = [refine(data, lens, start, with_phase=within.phase_shift) for start in starts]
    best = max(fits, key=lambda fit: fit.gain)
    if nodes:
        thick = [with_nodes(data, lens, fit, with_phase=within.phase_shift) for fit in fits]
        thick = [fit for fit in thick if fit.thickness]
        # Nodes help a wrong defocus to rings that another one has without them.
        shown = [fit for fit in thick if shows_nodes(fit, best)]
        best = max([best, *shown], key=lambda fit: fit.gain)
        fits += thick
    best = _among(best, fits)
    if elsewhere := search_beyond(data, lens, within):
        beyond = refine(data, lens, elsewhere, with_phase=within.phase_shift)
        if beyond.gain > best.gain + _RIVAL and abs(beyond.defocus.mean - best.defocus.mean) > _APART:
            best = replace(best, rival=beyond.defocus)
    return best


def _among(best: Fit, fits: list[Fit]) -> Fit:
    """The best fit with the covariance of all that are nearly as good, each as likely as it explains the spectrum."""
    told = [best]
    for fit in sorted(fits, key=lambda fit: -fit.gain):
        if all(abs(fit.defocus.mean - other.defocus.mean) > _APART for other in told):
            told.append(fit)
    rivals = [fit for fit in told[1:] if fit.gain > best.gain - _RIVAL and np.all(np.isfinite(fit.covariance))]
    if not rivals:
        return best
    covariance, total = best.covariance.copy(), 1.0
    for rival in rivals:
        likelihood, away = math.exp(min(0.5 * (rival.gain - best.gain), 0.0)), _vector(rival) - _vector(best)
        covariance += likelihood * (rival.covariance + np.outer(away, away))
        total += likelihood
    return replace(best, covariance=covariance / total, rival=rivals[0].defocus)


def _vector(fit: Fit) -> Array:
    defocus = fit.defocus
    return np.array([defocus.mean, defocus.straight, defocus.diagonal, defocus.phase_shift])[: len(fit.covariance)]
