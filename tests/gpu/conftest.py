"""A real card; what is here is skipped where there is none."""

from __future__ import annotations

from typing import Any

import pytest

from emlab.engine import devices
from emlab.simulation import Conditions, SimulatedMovie, simulate_movie
from emlab.simulation.motion import Motion


@pytest.fixture(scope="session")
def cupy() -> Any:
    if trouble := devices.cupy_trouble():
        pytest.skip(f"there is no card to compute on: {trouble}")
    import cupy

    return cupy


@pytest.fixture(scope="session")
def movie() -> SimulatedMovie:
    """A movie with motion within the field, a gain, and pixels to be replaced."""
    return simulate_movie(Conditions(seed=11, size=(1000, 1016), frames=16, motion=Motion(local=3.0)))
