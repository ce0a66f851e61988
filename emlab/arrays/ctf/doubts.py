"""What a person should know before believing a fit."""

from __future__ import annotations

from typing import Final

from emlab.arrays.ctf.fit import Fit
from emlab.arrays.ctf.search import SearchRange

_FAINT: Final = 120.0
"""Gain of a fit; some that gained less were wrong."""
_COARSE: Final = 12.0
"""Å; rings that agree with the fit no farther than this can be matched by a wrong defocus as well."""
_EDGE: Final = 25.0
"""Å; half a step of the search."""
_UNRESOLVED: Final = 6.0
"""Å; rings that cannot be seen beyond this are missed by the fit."""


def doubts(fit: Fit, within: SearchRange, resolution: float, aliasing: float | None) -> list[str]:
    """Sentences, none for a good fit.

    Parameters
    ----------
    resolution
        Of the fit, Å.
    aliasing
        Beyond which the rings are finer than the spectrum's samples, Å.
    """
    if not fit.is_significant:
        return ["No Thon rings stand out from the noise: the fit is meaningless."]
    defocus, low, high = fit.defocus, within.min_defocus, within.max_defocus
    said = []
    if fit.gain < _FAINT:
        said.append("The Thon rings are faint: a wrong defocus explains them nearly as well.")
    if fit.rival:
        shift = f" with a phase shift of {fit.rival.phase_shift % 180.0:.0f}°" if within.phase_shift else ""
        inside = low <= fit.rival.mean <= high
        how = "nearly as well" if inside else f"better, but lies outside the search range of {low:g} to {high:g} Å"
        said.append(f"A defocus of {fit.rival.mean:.0f} Å{shift} explains the rings {how}.")
    if resolution > _COARSE:
        said.append(f"The rings agree with the fit no farther than {resolution:.0f} Å: the defocus may be wrong.")
    if not low + _EDGE < defocus.mean < high - _EDGE:
        said.append(f"The defocus lies at the edge of the search range, {low:g} to {high:g} Å: widen the range.")
    if defocus.astigmatism > within.max_astigmatism:
        said.append(
            f"The astigmatism is {defocus.astigmatism:.0f} Å, more than the {within.max_astigmatism:g} Å of the "
            "search range: align the stigmator, or widen the range."
        )
    if aliasing is not None and aliasing > _UNRESOLVED:
        said.append(f"Beyond {aliasing:.0f} Å the rings are finer than the spectrum's sampling: use larger tiles.")
    return said
