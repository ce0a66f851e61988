"""Decide which micrographs to process further."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationInfo, field_validator

from emlab.model import Accepted, Ctf, Micrograph, Parameters, Rejected, Workbench, parameter, protocol

FINEST: Final = 2.5
"""Pixels: CTFs are seen to no finer resolution than two of them, and hardly to that."""


class SelectMicrographs(Parameters):
    """Parameters of `select_micrographs`: each is a limit; ``None`` means no limit."""

    max_ctf_resolution: float | None = parameter(
        8.0,
        gt=0,
        unit="Å",
        label="CTF resolution up to",
        help="How far out the Thon rings must agree with the fit; a smaller number is stricter. If the pixels are too "
        f"coarse for this, the limit is {FINEST:g} pixels.",
    )
    min_defocus: float | None = parameter(
        None, unit="Å", label="Defocus from", help="Smallest underfocus, mean of U and V."
    )
    max_defocus: float | None = parameter(
        None, unit="Å", label="Defocus up to", help="Largest underfocus, mean of U and V."
    )
    max_astigmatism: float | None = parameter(
        1000.0, ge=0, unit="Å", label="Astigmatism up to", help="Largest difference between U and V."
    )
    max_motion: float | None = parameter(
        None,
        gt=0,
        unit="Å",
        label="Motion up to",
        help="Total path length of the specimen's motion; it does not apply to micrographs imported without a movie.",
    )
    max_ice_density: float | None = parameter(
        1.5,
        gt=0,
        label="Ice ring up to",
        help="Power at the ice ring relative to its surroundings; 1 means no ring. The limit does not apply if the "
        "pixels are too coarse to show the ring.",
    )
    min_score: float | None = parameter(
        None, ge=-1, le=1, label="CTF score from", advanced=True, help="Smallest correlation between spectrum and fit."
    )

    @field_validator("max_defocus")
    @classmethod
    def _above_min_defocus(cls, value: float | None, others: ValidationInfo) -> float | None:
        lowest = others.data.get("min_defocus")
        if value is not None and lowest is not None and value <= lowest:
            raise ValueError(f"it must be above min_defocus, {lowest:g} Å")
        return value


@protocol(title="Selection", consumes=(Micrograph, Ctf), produces=(Accepted, Rejected))
def select_micrographs(
    micrograph: Micrograph, ctf: Ctf, parameters: SelectMicrographs, workbench: Workbench
) -> Accepted | Rejected:
    """Accept the micrographs that are within all limits."""
    limits = _limits(micrograph, ctf, parameters)
    missed = [limit.verdict for limit in limits if not limit.is_met]
    decision: type[Accepted | Rejected] = Rejected if missed else Accepted
    return decision(
        key=micrograph.key,
        acquired_at=micrograph.acquired_at,
        micrograph=micrograph.path,
        reason="; ".join(missed) + "." if missed else _praise(limits),
    )


@dataclass(frozen=True)
class _Limit:
    """A value and the bound that it should keep."""

    name: str
    value: float
    unit: str
    bound: float
    is_maximum: bool

    @property
    def is_met(self) -> bool:
        """Whether it is kept; what is not a number keeps none."""
        return self.value <= self.bound if self.is_maximum else self.value >= self.bound

    @property
    def finding(self) -> str:
        return f"{self.name} {_in_words(self.value, self.unit)}"

    @property
    def verdict(self) -> str:
        if math.isnan(self.value):
            return f"{self.name} is not known, and the limit is {_in_words(self.bound, self.unit)}"
        side = "above" if self.is_maximum else "below"
        return f"{self.finding} is {side} the limit of {_in_words(self.bound, self.unit)}"


def _limits(micrograph: Micrograph, ctf: Ctf, parameters: SelectMicrographs) -> list[_Limit]:
    """The limits that are set, of what this micrograph has: without a movie it has no motion, say."""
    defocus = (ctf.defocus_u + ctf.defocus_v) / 2
    finest = _within_reach(parameters.max_ctf_resolution, micrograph.pixel_size)
    possible = (
        ("CTF resolution", ctf.ctf_resolution, "Å", finest, True),
        ("Defocus", defocus, "Å", parameters.min_defocus, False),
        ("Defocus", defocus, "Å", parameters.max_defocus, True),
        ("Astigmatism", ctf.astigmatism, "Å", parameters.max_astigmatism, True),
        ("Motion", micrograph.total_motion, "Å", parameters.max_motion, True),
        ("Ice ring", ctf.ice_density, "", parameters.max_ice_density, True),
        ("CTF score", ctf.score, "", parameters.min_score, False),
    )
    return [
        _Limit(name, value, unit, bound, is_maximum)
        for name, value, unit, bound, is_maximum in possible
        if value is not None and bound is not None
    ]


def _within_reach(max_ctf_resolution: float | None, pixel_size: float) -> float | None:
    """The limit, or what pixels of that size let be asked for; Å."""
    return None if max_ctf_resolution is None else max(max_ctf_resolution, FINEST * pixel_size)


def _praise(limits: list[_Limit]) -> str:
    if not limits:
        return "No limit applies."
    number = "the limit" if len(limits) == 1 else f"all {len(limits)} limits"
    return f"Within {number}: {'; '.join(limit.finding for limit in limits)}."


def _in_words(value: float, unit: str) -> str:
    number = f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return f"{number} {unit}".rstrip()
