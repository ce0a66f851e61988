"""What is simulated: one exposure's conditions, and how they vary over a session."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np

from emlab.simulation.motion import Motion
from emlab.simulation.optics import Optics
from emlab.simulation.specimen import Specimen


class Flaw(StrEnum):
    """Why a movie is not a good one."""

    THICK_ICE = "thick ice"
    DRIFT = "drift"
    CARBON = "carbon"
    CONTAMINATION = "contamination"
    CRYSTALLINE_ICE = "crystalline ice"
    JUMP = "jump"
    EMPTY = "no particles"


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """Everything that one exposure follows from: equal conditions give equal movies.

    Attributes
    ----------
    seed
        Of everything random.
    size
        Height and width, px.
    frames
        How many.
    pixel_size
        Å.
    dose_per_frame
        On the specimen, e/Å².
    optics, specimen, motion
        Their own descriptions.
    flaw
        What was made worse on purpose.
    """

    seed: int = 0
    size: tuple[int, int] = (1024, 1024)
    frames: int = 24
    pixel_size: float = 1.5
    dose_per_frame: float = 2.0
    optics: Optics = field(default_factory=Optics)
    specimen: Specimen = field(default_factory=Specimen)
    motion: Motion = field(default_factory=Motion)
    flaw: Flaw | None = None

    def rng(self, stream: int) -> np.random.Generator:
        """Random numbers for one part of the simulation; parts do not disturb each other's."""
        return np.random.default_rng([self.seed, stream])


def vary(conditions: Conditions, number: int) -> Conditions:
    """The conditions of exposure ``number`` of a session that is set up as ``conditions`` say.

    Defocus runs from 0.6 to 2.5 µm, astigmatism, ice and motion differ; every fourth exposure has a flaw, each in
    its turn.
    """
    rng = np.random.default_rng([conditions.seed, number, 0x5E5])
    defocus, astigmatism = rng.uniform(6000.0, 25000.0), abs(rng.normal(0.0, 350.0))
    varied = replace(
        conditions,
        seed=int(rng.integers(2**31)),
        optics=replace(
            conditions.optics,
            defocus_u=defocus + astigmatism / 2,
            defocus_v=defocus - astigmatism / 2,
            defocus_angle=rng.uniform(-90.0, 90.0),
        ),
        specimen=replace(
            conditions.specimen, ice_thickness=conditions.specimen.ice_thickness * rng.lognormal(0.0, 0.2)
        ),
        motion=replace(conditions.motion, early=conditions.motion.early * rng.uniform(0.5, 1.6)),
    )
    flaws = tuple(Flaw)
    return flawed(varied, flaws[number // 4 % len(flaws)]) if number % 4 == 3 else varied


def flawed(conditions: Conditions, flaw: Flaw) -> Conditions:
    """The same conditions with something wrong."""
    specimen, motion = conditions.specimen, conditions.motion
    match flaw:
        case Flaw.THICK_ICE:
            specimen = replace(specimen, ice_thickness=2500.0)
        case Flaw.DRIFT:
            motion = replace(motion, drift=1.2, wander=0.5)
        case Flaw.CARBON:
            specimen = replace(specimen, carbon=0.4)
        case Flaw.CONTAMINATION:
            specimen = replace(specimen, lumps=8)
        case Flaw.CRYSTALLINE_ICE:
            specimen = replace(specimen, crystals=6)
        case Flaw.JUMP:
            motion = replace(motion, jump=12.0)
        case Flaw.EMPTY:
            specimen = replace(specimen, particle_density=0.0)
    return replace(conditions, specimen=specimen, motion=motion, flaw=flaw)
