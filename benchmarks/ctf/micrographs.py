"""Sets of simulated micrographs, from easy to hard, with their truth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emlab.simulation import Conditions, Optics, Specimen, simulate_micrograph

Array = NDArray[Any]

_ICE = 150.0, 350.0, 600.0, 1000.0, 2000.0
"""Å, from thin to thick."""
_DOSE = 8.0, 16.0, 40.0
"""e/Å², from poor to rich."""
_VIBRATION = 0.7, 1.2
"""Å RMS, residual motion included: temperature factors of 40 to 110 Å², with which the rings are as faint as in the
micrographs of real proteins."""


@dataclass(frozen=True)
class Trial:
    """One micrograph to be simulated.

    Attributes
    ----------
    name
        Of its set and its number.
    conditions
        All of the truth: of the specimen's middle, in the field's middle.
    """

    name: str
    conditions: Conditions

    def image(self, kept: Path | None = None) -> Array:
        """Electrons, float32 (y, x); read from the folder ``kept`` where it was simulated before."""
        path = kept / f"{self.name}_{self.conditions.size[0]}.npy" if kept else None
        if path and path.exists():
            return np.load(path).astype(np.float32)  # type: ignore[no-any-return]
        image, _ = simulate_micrograph(self.conditions)
        if path:
            # Counts, so that nothing is lost.
            np.save(path, image.astype(np.uint8 if image.max() < 256 else np.uint16))
        return image


def ordinary(number: int, size: int) -> Trial:
    """Defocus of 0.4 to 4 µm, 200 and 300 kV, astigmatism up to 1500 Å; poor, ordinary and thick ice."""
    rng = np.random.default_rng([11, number])
    mean = 4000.0 * 10.0 ** ((number % 10 + rng.random()) / 10.0)
    return _trial("ordinary", number, size, rng, mean, rng.uniform(0.0, min(1500.0, mean / 3.0)))


def with_phase_plate(number: int, size: int) -> Trial:
    """Defocus of 0.5 to 2 µm, phase shifts of 20 to 150°."""
    rng = np.random.default_rng([12, number])
    trial = _trial("plate", number, size, rng, rng.uniform(5000.0, 20_000.0), rng.uniform(0.0, 600.0))
    return _with_optics(trial, phase_shift=20.0 + 130.0 * (number % 12 + rng.random()) / 12.0)


def tilted(number: int, size: int) -> Trial:
    """Defocus of 1 to 3 µm, 10 to 45° about any axis."""
    rng = np.random.default_rng([13, number])
    trial = _trial("tilted", number, size, rng, rng.uniform(10_000.0, 30_000.0), rng.uniform(0.0, 600.0))
    tilt = 10.0 + 35.0 * (number % 12 + rng.random()) / 12.0
    return _with_optics(trial, tilt_angle=tilt, tilt_axis=rng.uniform(-180.0, 180.0))


def _trial(kind: str, number: int, size: int, rng: np.random.Generator, mean: float, astigmatism: float) -> Trial:
    optics = Optics(
        voltage=(300.0, 200.0)[number % 2],
        defocus_u=mean + astigmatism / 2.0,
        defocus_v=mean - astigmatism / 2.0,
        defocus_angle=rng.uniform(-90.0, 90.0),
        vibration=rng.uniform(*_VIBRATION),
    )
    specimen = Specimen(
        particle_density=rng.choice([0.0, 1000.0, 2500.0]),
        ice_thickness=_ICE[number % len(_ICE)],
        crystals=int(rng.choice([0, 0, 4])),
    )
    conditions = Conditions(
        seed=int(rng.integers(2**31)),
        size=(size, size),
        frames=40,
        dose_per_frame=_DOSE[number % len(_DOSE)] / 40.0,
        pixel_size=rng.uniform(0.8, 1.3),
        optics=optics,
        specimen=specimen,
    )
    return Trial(f"{kind}_{number:02d}", conditions)


def _with_optics(trial: Trial, **changes: float) -> Trial:
    optics = replace(trial.conditions.optics, **changes)
    return replace(trial, conditions=replace(trial.conditions, optics=optics))
