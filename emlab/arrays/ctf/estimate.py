"""The fit of a spectrum: found by searching, then refined."""

from __future__ import annotations

from emlab.arrays.ctf.background import Flattened
from emlab.arrays.ctf.fit import Fit, refine
from emlab.arrays.ctf.model import Lens
from emlab.arrays.ctf.search import SearchRange, search


def estimate(data: Flattened, lens: Lens, within: SearchRange) -> Fit:
    """The fit that explains a flattened spectrum best, of all that the search finds worth refining."""
    fits = [refine(data, lens, start, with_phase=within.phase_shift) for start in search(data, lens, within)]
    return max(fits, key=lambda fit: fit.gain)
