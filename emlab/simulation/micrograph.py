"""A simulated micrograph: a movie of a single frame of the whole dose, at rest."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emlab.simulation.conditions import Conditions
from emlab.simulation.detector import count
from emlab.simulation.exposure import Exposure
from emlab.simulation.motion import Motion
from emlab.simulation.truth import Truth, truth_of

Array = NDArray[Any]


def simulate_micrograph(conditions: Conditions, *, noise: bool = True) -> tuple[Array, Truth]:
    """The well-aligned sum of the movie that would be taken, and the truth about it.

    Parameters
    ----------
    noise
        Whether electrons are counted; otherwise each pixel has what is expected there.

    Returns
    -------
    image
        Electrons, float32 (y, x).
    truth
        Of one frame, with the dose of all.
    """
    still = Motion(early=0.0, drift=0.0, wander=0.0, jump=0.0, local=0.0)
    dose = conditions.frames * conditions.dose_per_frame
    exposure = Exposure(replace(conditions, frames=1, dose_per_frame=dose, motion=still))
    electrons = next(iter(exposure))
    image = count(electrons, conditions.rng(5)).astype(np.float32) if noise else electrons
    return image, truth_of(exposure)
