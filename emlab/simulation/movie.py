"""A simulated movie, in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emlab.simulation.conditions import Conditions
from emlab.simulation.detector import Detector, build_detector
from emlab.simulation.exposure import Exposure
from emlab.simulation.truth import Truth, truth_of

Array = NDArray[Any]


@dataclass(frozen=True)
class SimulatedMovie:
    """A movie as a camera gives it.

    Attributes
    ----------
    frames
        Raw counts, uint8 (frame, y, x).
    gain_reference
        What to multiply each with, 0 at dead pixels: float32 (y, x).
    truth
        What it shows.
    """

    frames: Array
    gain_reference: Array
    truth: Truth


def simulate_movie(conditions: Conditions, detector: Detector | None = None) -> SimulatedMovie:
    """A movie taken under the given conditions; the same conditions give the same movie.

    Parameters
    ----------
    detector
        The session's camera, of ``conditions.size``; one of the conditions' seed when absent.

    Raises
    ------
    FormatError
        If the atomic model cannot be read.
    """
    detector = detector or build_detector(conditions.size, conditions.seed)
    exposure, rng = Exposure(conditions), conditions.rng(5)
    frames = np.stack([detector.read(electrons, rng) for electrons in exposure])
    return SimulatedMovie(frames, detector.gain_reference, truth_of(exposure, detector))


def simulate_expected(conditions: Conditions) -> tuple[Array, Truth]:
    """The same movie without a detector and its noise: expected electrons, float32 (frame, y, x), and the truth."""
    exposure = Exposure(conditions)
    return np.stack(list(exposure)), truth_of(exposure)
