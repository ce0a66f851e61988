"""Vitreous ice: a structured background that moves with the specimen and is shaken up by the beam."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from emlab.simulation.scattering import WATER_DENSITY, phase_per_length, water_scattering

Array = NDArray[Any]

_DIFFUSION: Final = 0.5
"""Mean square displacement of a molecule per axis, Å² per e/Å²."""


def structure_factor(k: Array) -> Array:
    """How ordered the molecules are, as seen at ``k`` (1/Å): below 1 where they keep apart, peaks at 3.7 and 2.1 Å."""
    apart = 0.07 + 0.93 / (1.0 + np.exp(-(k - 0.235) / 0.02))
    first = 0.9 * np.exp(-0.5 * ((k - 0.272) / 0.022) ** 2)
    second = 0.35 * np.exp(-0.5 * ((k - 0.46) / 0.05) ** 2)
    return apart + first + second


def phase_power(k_squared: Array, thickness: float, voltage: float) -> Array:
    """Power spectrum of the phase behind ``thickness`` Å of ice, rad²·Å², for ``k_squared`` in 1/Å²."""
    molecules = WATER_DENSITY * thickness
    amplitude = phase_per_length(voltage) * water_scattering(k_squared)
    return molecules * amplitude**2 * structure_factor(np.sqrt(k_squared))


def forgetting(k_squared: Array, dose: float) -> Array:
    """Exponent x of the correlation exp(−x) of the ice with itself ``dose`` e/Å² earlier.

    Notes
    -----
    Each electron moves the molecules; they diffuse by about 1 Å within 1 e/Å² (McMullan 2015,
    10.1016/j.ultramic.2015.05.017), so fine detail is forgotten within a frame and coarse detail stays.
    """
    return 2.0 * math.pi**2 * _DIFFUSION * dose * k_squared


def frame_average(x: Array) -> Array:
    """Variance that is left when a quantity that forgets by exp(−x) over a frame is averaged over that frame."""
    x = np.maximum(x, 1e-3)
    return 2.0 * (x + np.expm1(-x)) / x**2  # type: ignore[no-any-return]


def crystalline_phase(rng: np.random.Generator, shape: tuple[int, int], pixel_size: float, crystals: int) -> Array:
    """Phase of ``crystals`` patches of hexagonal ice, radians: float32 (y, x).

    Each patch shows three lattice planes of 3.90, 3.67 or 3.44 Å; those beyond the pixels' reach are left out.
    """
    y, x = (np.arange(size, dtype=np.float32) * pixel_size for size in shape)
    phase = np.zeros(shape, np.float32)
    for _ in range(crystals):
        centre = rng.uniform(0.0, 1.0, 2) * (y[-1], x[-1])
        radius = rng.uniform(150.0, 500.0)
        patch = np.exp(-((((y[:, None] - centre[0]) ** 2 + (x[None, :] - centre[1]) ** 2) / radius**2) ** 3))
        turn = rng.uniform(0.0, 2 * np.pi)
        for number, spacing in enumerate((3.90, 3.67, 3.44)):
            if spacing < 2.2 * pixel_size:
                continue
            direction = turn + number * np.pi / 3
            wave = np.exp(2j * np.pi * y * np.sin(direction) / spacing)[:, None]
            wave = wave * np.exp(2j * np.pi * x * np.cos(direction) / spacing)[None, :]
            phase += rng.uniform(0.02, 0.05) * (patch * wave.real).astype(np.float32)
    return phase
