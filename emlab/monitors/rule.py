"""The rule by which micrographs are selected: its limits, and how many micrographs other limits would keep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from emlab.monitors.items import Items
from emlab.monitors.watched import Watched
from emlab.protocols.select_micrographs import FINEST

SELECTION: Final = "select_micrographs"
"""The protocol that selects."""


@dataclass(frozen=True)
class Bound:
    """A parameter of the rule: the measure that it bounds, from above or from below."""

    parameter: str
    measure: str
    is_maximum: bool


BOUNDS: Final = (
    Bound("max_ctf_resolution", "ctf_resolution", True),
    Bound("min_defocus", "defocus", False),
    Bound("max_defocus", "defocus", True),
    Bound("max_astigmatism", "astigmatism", True),
    Bound("max_motion", "total_motion", True),
    Bound("max_ice_density", "ice_density", True),
    Bound("min_score", "score", False),
)


@dataclass(frozen=True)
class Rule:
    """The limits of a session's selection.

    Attributes
    ----------
    run
        The newest run that selects.
    limits
        By parameter; ``None`` where it sets none.
    """

    run: str
    limits: Mapping[str, float | None]


def selection_rule(session: Watched) -> Rule | None:
    """Give the rule of the newest run that selects; ``None`` where a session selects nothing."""
    chosen = [run for run in session.runs if run.protocol == SELECTION]
    if not chosen:
        return None
    parameters = chosen[-1].parameters
    return Rule(chosen[-1].name, {bound.parameter: parameters.get(bound.parameter) for bound in BOUNDS})


def in_force(items: Items, limits: Mapping[str, float | None]) -> dict[str, float]:
    """Give the limits that are set, by parameter, as they hold for pixels of the newest micrograph's size."""
    sizes = items["pixel_size"]
    newest = sizes[np.isfinite(sizes)][-1:]
    return {
        bound.parameter: float(np.max(_reached(bound, limit, newest), initial=limit))
        for bound in BOUNDS
        if (limit := limits.get(bound.parameter)) is not None
    }


def by_measure(limits: Mapping[str, float]) -> dict[str, list[float]]:
    """Give limits by the measure that they bound; those of the mean defocus count for U and V."""
    found: dict[str, list[float]] = {}
    for bound in BOUNDS:
        if bound.parameter in limits:
            found.setdefault(bound.measure, []).append(limits[bound.parameter])
    if "defocus" in found:
        found["defocus_u"] = found["defocus_v"] = found["defocus"]
    return found


def kept(items: Items, limits: Mapping[str, float | None]) -> NDArray[np.bool_]:
    """Tell which items limits would keep, as `emlab.protocols.select_micrographs` decides; shape (items,).

    An item without a CTF is not kept; a measure that it does not have (motion without a movie, ice where the pixels
    are too coarse) is not held against it.
    """
    decided = np.isfinite(items["ctf"])
    for bound in BOUNDS:
        limit = limits.get(bound.parameter)
        if limit is None:
            continue
        values, reached = items[bound.measure], _reached(bound, limit, items["pixel_size"])
        decided &= np.isnan(values) | (values <= reached if bound.is_maximum else values >= reached)
    return decided


def _reached(bound: Bound, limit: float, pixel_size: NDArray[np.float64]) -> NDArray[np.float64] | float:
    """A limit for micrographs with pixels of these sizes, Å; where that is not known (nan) the limit stays."""
    return np.fmax(limit, FINEST * pixel_size) if bound.measure == "ctf_resolution" else limit
