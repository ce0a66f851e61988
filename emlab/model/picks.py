"""Where the particles of a micrograph are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emlab.model.optics import Focused


@dataclass(frozen=True, kw_only=True)
class Picks(Focused):
    """The places of a micrograph's particles; ``pixel_size`` is the micrograph's.

    Attributes
    ----------
    micrograph
        The image that they were picked on.
    coordinates
        A NumPy file, float32 (particle, 3): x (column), y (row), px of the micrograph, (0, 0) being the centre of the
        first stored pixel; and the score of the method. The best come first.
    count
        How many; a micrograph may have none.
    diameter
        Of the particle, Å.
    fitted_diameter
        Diameter of the ball that fits the particles best, Å; particles that are not round fit smaller ones.
    mean_score
        Mean of the scores; ``None`` where there are no particles.
    excluded_area
        The part of the micrograph, 0 to 1, that was not searched: carbon, contamination, crystals.
    warning
        A sentence for people when the result is doubtful.
    """

    kind: ClassVar[str] = "picks"
    plural: ClassVar[str] = "picks"

    micrograph: str
    coordinates: str
    count: int
    diameter: float
    fitted_diameter: float | None = None
    mean_score: float | None = None
    excluded_area: float | None = None
    warning: str | None = None
