"""Power spectra with Thon rings, made with the simulator's optics, which share nothing with the estimation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from emlab.arrays.ctf import Flattened, Lens, flatten, rings_between
from emlab.simulation.optics import Optics, aberration, depth_fading

SIZE, PIXEL_SIZE, TILES = 512, 1.4, 40


def made(
    optics: Optics, height: float = 0.3, noise: int | None = 0, reach: float = 3.0, thickness: float = 0.0
) -> NDArray[Any]:
    """A centred power spectrum of 512 px at 1.4 Å.

    Parameters
    ----------
    optics
        Where the rings are.
    height
        Of the rings, over the background.
    noise
        Seed of the noise that 40 tiles leave; ``None`` for none.
    reach
        Å; there are no rings beyond.
    thickness
        Of the ice, Å.
    """
    k = np.fft.fftshift(np.fft.fftfreq(SIZE, PIXEL_SIZE))
    ky, kx = k[:, None], k[None, :]
    radius = np.hypot(ky, kx)
    chi = aberration(optics, ky, kx) + np.arcsin(optics.amplitude_contrast)
    height = height * (radius < 1.0 / reach) * depth_fading(optics, thickness, radius**2)
    power = 1.0 - height * np.cos(2.0 * chi)
    power *= 3.0 + 40.0 * np.exp(-radius / 0.02) + np.exp(-((radius / 0.2) ** 2))
    if noise is not None:
        power *= np.random.default_rng(noise).gamma(TILES, 1.0 / TILES, power.shape)
    return power.astype(np.float32)


def flattened(power: NDArray[Any]) -> Flattened:
    """Its rings between 30 and 3 Å."""
    return flatten(power, rings_between(SIZE, PIXEL_SIZE, 1 / 30, 1 / 3))


@pytest.fixture
def thon_rings() -> Callable[..., NDArray[Any]]:
    return made


@pytest.fixture
def rings_of() -> Callable[..., Flattened]:
    return lambda *args, **kwargs: flattened(made(*args, **kwargs))


@pytest.fixture
def lens() -> Lens:
    """The lens of the simulator's usual optics."""
    return Lens.of_microscope(300.0, 2.7, 0.07)
