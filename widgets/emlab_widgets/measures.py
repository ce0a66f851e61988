"""The measures that people look at: what they are called, in which unit, in which colour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from emlab.monitors import Items
from emlab.session import Session
from emlab_widgets import theme


@dataclass(frozen=True)
class Measure:
    """A measure of a micrograph as it is shown.

    Attributes
    ----------
    name
        Of the column of `emlab.monitors.Items`.
    source
        Kind of record without which there is none: sessions that begin with micrographs have no motion.
    title, unit
        For people.
    colour
        Of its points and bars.
    empty
        What stands where there is none yet.
    digits
        Decimals.
    divisor
        Å per unit shown.
    trend
        Whether a running median tells something; not of what is varied on purpose.
    """

    name: str
    source: str
    title: str
    unit: str
    colour: str
    empty: str
    digits: int = 1
    divisor: float = 1.0
    trend: bool = True

    def values(self, items: Items) -> NDArray[np.float64]:
        """Give the measure of every item, in the unit shown; nan where it is not known."""
        return items[self.name] / self.divisor

    @property
    def form(self) -> str:
        """How d3 writes it."""
        return f",.{self.digits}f"

    @property
    def label(self) -> str:
        """Title and unit, as an axis has it."""
        return f"{self.title} ({self.unit})" if self.unit else self.title


_AFTER_CTF = "appears here when the first CTF has been estimated."
_AFTER_MOTION = "appears here when the first movie has been aligned."

DEFOCUS: Final = Measure(
    "defocus_u", "ctf", "Defocus U", "µm", theme.BLUE, f"Defocus {_AFTER_CTF}", 2, 1e4, trend=False
)
DEFOCUS_V: Final = Measure(
    "defocus_v", "ctf", "Defocus V", "µm", theme.SKY, f"Defocus {_AFTER_CTF}", 2, 1e4, trend=False
)
MEAN_DEFOCUS: Final = Measure(
    "defocus", "ctf", "Defocus", "µm", theme.BLUE, f"Defocus {_AFTER_CTF}", 2, 1e4, trend=False
)
RESOLUTION: Final = Measure("ctf_resolution", "ctf", "CTF resolution", "Å", theme.VERMILION, f"Resolution {_AFTER_CTF}")
ASTIGMATISM: Final = Measure("astigmatism", "ctf", "Astigmatism", "Å", theme.PURPLE, f"Astigmatism {_AFTER_CTF}", 0)
PHASE_SHIFT: Final = Measure("phase_shift", "ctf", "Phase shift", "°", theme.SKY, f"Phase shift {_AFTER_CTF}", 0)
SCORE: Final = Measure("score", "ctf", "CTF score", "", theme.GREEN, f"The score {_AFTER_CTF}", 3)
ICE: Final = Measure("ice_density", "ctf", "Ice ring", "", theme.BLUE, f"The ice ring {_AFTER_CTF}", 2)
THICKNESS: Final = Measure(
    "thickness",
    "ctf",
    "Ice thickness",
    "nm",
    theme.SKY,
    "It appears for micrographs whose Thon rings show nodes.",
    1,
    10.0,
)
TILT: Final = Measure("tilt_angle", "ctf", "Tilt", "°", theme.PURPLE, "It appears if the CTF step estimates tilt.")
MOTION: Final = Measure("total_motion", "movie", "Total motion", "Å", theme.GREEN, f"Motion {_AFTER_MOTION}")
EARLY_MOTION: Final = Measure("early_motion", "movie", "Early motion", "Å", theme.BLUE, f"Motion {_AFTER_MOTION}")
LATE_MOTION: Final = Measure("late_motion", "movie", "Late motion", "Å", theme.SKY, f"Motion {_AFTER_MOTION}")
RESIDUAL: Final = Measure("residual_motion", "movie", "Residual motion", "Å", theme.PURPLE, f"It {_AFTER_MOTION}", 2)
COUNTS: Final = Measure(
    "mean_counts", "movie", "Mean counts", "per px and frame", theme.BLUE, f"The mean {_AFTER_MOTION}", 3
)
DOSE: Final = Measure("total_dose", "movie", "Total dose", "e/Å²", theme.VERMILION, f"The dose {_AFTER_MOTION}")
TARGET: Final = Measure(
    "target_defocus",
    "movie",
    "Target defocus",
    "µm",
    theme.PURPLE,
    "It appears with the first movie.",
    2,
    1e4,
    trend=False,
)
_AFTER_PICKING = "appears here when the first micrograph has been picked."

PARTICLES: Final = Measure(
    "count", "picks", "Particles", "per micrograph", theme.GREEN, f"Their number {_AFTER_PICKING}", 0
)
PICKING_SCORE: Final = Measure("mean_score", "picks", "Picking score", "σ", theme.PURPLE, f"The score {_AFTER_PICKING}")
EXCLUDED: Final = Measure(
    "excluded_area",
    "picks",
    "Excluded area",
    "%",
    theme.VERMILION,
    f"It {_AFTER_PICKING}",
    1,
    0.01,
)

ALL: Final = (
    MEAN_DEFOCUS,
    RESOLUTION,
    ASTIGMATISM,
    PHASE_SHIFT,
    SCORE,
    ICE,
    MOTION,
    EARLY_MOTION,
    LATE_MOTION,
    COUNTS,
    DOSE,
    PARTICLES,
)


def present(items: Items, *measures: Measure) -> list[Measure]:
    """Give those of the measures that any item has: some are estimated only where that was asked for, or shows."""
    return [measure for measure in measures if np.nan_to_num(items[measure.name]).any()]


def measured(session: Session, *measures: Measure) -> list[Measure]:
    """Give those of the measures that a session can have."""
    kinds = {collection.kind for collection in session.sets.values()}
    return [measure for measure in measures if measure.source in kinds]
