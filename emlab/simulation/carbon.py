"""The edge of the holey carbon film."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from emlab.simulation.scattering import CARBON_DENSITY, atom_scattering, phase_per_length

Array = NDArray[Any]

THICKNESS: Final = 150.0
"""Of the film, Å."""


def carbon_mask(rng: np.random.Generator, shape: tuple[int, int], pixel_size: float, share: float) -> Array:
    """Where the film is, 0 to 1: float32 (y, x), covering about ``share`` of the field from a random side.

    The edge is the wavy rim of a hole of 0.6 µm radius, some 60 Å wide.
    """
    y, x = (np.arange(size, dtype=np.float32) * pixel_size for size in shape)
    side = rng.uniform(0.0, 2 * np.pi)
    half = 0.5 * np.array([y[-1], x[-1]])
    radius = 6000.0
    reach = (1.0 - 2.0 * share) * float(np.abs(half * (np.sin(side), np.cos(side))).sum())
    centre = half - (radius - reach) * np.array([np.sin(side), np.cos(side)])
    distance_y, distance_x = (y - centre[0])[:, None], (x - centre[1])[None, :]
    angle = np.arctan2(distance_y, distance_x)
    wave = 25.0 * np.sin(40 * angle + rng.uniform(0, 6)) + 12.0 * np.sin(97 * angle + rng.uniform(0, 6))
    depth = np.hypot(distance_y, distance_x) - radius + wave
    return (1.0 / (1.0 + np.exp(-np.clip(depth / 30.0, -30, 30)))).astype(np.float32)  # type: ignore[no-any-return]


def carbon_power(k_squared: Array, voltage: float) -> Array:
    """Power spectrum of the film's phase, rad²·Å², for ``k_squared`` in 1/Å²: far less ordered than ice."""
    atoms = CARBON_DENSITY * THICKNESS
    amplitude = phase_per_length(voltage) * atom_scattering("C", k_squared)
    ordered = 0.35 + 0.65 / (1.0 + np.exp(-(np.sqrt(k_squared) - 0.3) / 0.06))
    return atoms * amplitude**2 * ordered
