"""How thick the ice is: from the nodes at which the Thon rings vanish, to return inverted."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from emlab.arrays.ctf.background import Flattened
from emlab.arrays.ctf.fit import Fit, approached, misfits, refine
from emlab.arrays.ctf.model import Lens

_TRIED: Final = np.arange(300.0, 4001.0, 125.0)
"""Å."""
_FINER: Final = np.arange(-150.0, 151.0, 25.0)
"""Å around the best of them."""
_WORTHWHILE: Final = 3.0
"""Gain by nodes, the defocus left as it is, that is worth a fit of its own."""
_SIGNIFICANT: Final = 12.0
"""Gain of the fit with nodes over that without, and over rings that end at the first."""


def with_nodes(data: Flattened, lens: Lens, fit: Fit, *, with_phase: bool = False) -> Fit:
    """The fit with the nodes of the thickness that explains the spectrum best; ``fit`` where none show.

    Notes
    -----
    A tilt that nothing is known of fades the rings in the same way, and its steepness is then taken for thickness.
    Inverted rings behind a node are what tells (Elferich 2024, 10.7554/eLife.97227).
    """
    found = misfits(data, lens, fit.defocus, _TRIED)
    if fit.misfit - found.min() < _WORTHWHILE * fit.noise:
        return fit
    thickness = float(_TRIED[int(found.argmin())])
    if thickness == _TRIED[-1]:
        return fit
    defocus = approached(data, lens, fit.defocus, with_phase=with_phase, thickness=thickness)
    finer = thickness + _FINER
    found = misfits(data, lens, defocus, finer)
    best = int(np.clip(found.argmin(), 1, finer.size - 2))
    before, middle, after = found[best - 1 : best + 2]
    curvature = max(before - 2.0 * middle + after, 1e-6 * fit.noise)
    step = _FINER[1] - _FINER[0]
    thickness = float(finer[best] + np.clip(0.5 * (before - after) / curvature, -1.0, 1.0) * step)
    refined = refine(data, lens, defocus, with_phase=with_phase, thickness=thickness)
    # Rings that merely end at the node would tell nothing.
    ended = misfits(data, lens, refined.defocus, np.array([thickness]), inverted=False)
    if not shows_nodes(refined, fit) or float(ended[0]) - refined.misfit < _SIGNIFICANT * refined.noise:
        return fit
    return replace(refined, thickness_error=float(np.sqrt(2.0 * refined.noise / curvature) * step))


def shows_nodes(fit: Fit, other: Fit) -> bool:
    """Whether a fit with nodes explains the spectrum so much better than one without them that they must be there."""
    return other.misfit - fit.misfit > _SIGNIFICANT * fit.noise
