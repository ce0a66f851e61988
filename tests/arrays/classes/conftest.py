"""Particles whose class, place and rotation are known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation
from threadpoolctl import threadpool_limits

from emlab.simulation import Optics
from emlab.simulation.particles import project_protein, simulate_particles
from emlab.simulation.protein import Protein, synthetic_protein

Array = NDArray[Any]

BOX, PIXEL_SIZE = 48, 4.4
OPTICS = Optics(defocus_u=17_000, defocus_v=16_600, defocus_angle=30)
SIDE_ON = Rotation.from_euler("x", 90, degrees=True)


def blobs(y: Array, x: Array) -> Array:
    """Something without any symmetry, in px from its centre."""
    parts = ((5, 8, 3, 1.0), (-9, 2, 2, -0.6), (0, -10, 2.5, 0.5))
    return sum(height * np.exp(-((y - dy) ** 2 + (x - dx) ** 2) / (2 * width**2)) for dy, dx, width, height in parts)  # type: ignore[return-value]


def blobs_turned(box: int, angle: float, shift: tuple[float, float]) -> Array:
    """`blobs` turned by ``angle`` degrees from x towards y, and then moved by ``shift`` (y, x) px."""
    y, x = np.meshgrid(*2 * (np.arange(box) - box // 2,), indexing="ij")
    y, x = y - shift[0], x - shift[1]
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    return blobs(-s * x + c * y, c * x + s * y).astype(np.float32)


def rod() -> Protein:
    """A protein that is long and thin, of the mass of a ferritin."""
    rng = np.random.default_rng(5)
    along = np.concatenate([rng.normal(at, 7.0, 7000) for at in (-48.0, -16.0, 16.0, 48.0, 48.0)])
    across = rng.normal(0.0, 14.0, (len(along), 2))
    atoms = np.column_stack([across[:, 0], along, across[:, 1]]).astype(np.float32)
    return Protein(atoms - atoms.mean(axis=0), np.ones(len(atoms), np.float32))


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """As in a worker: for small matrices, threads only wait for each other."""
    with threadpool_limits(1, "blas"):
        yield


@pytest.fixture(scope="session")
def mixture() -> tuple[Array, Array, Array]:
    """300 particles, which of three views each shows, and the views: a shell, a rod from the side and from its end.

    Each is turned about the beam and moved by chance.
    """
    rng = np.random.default_rng(3)
    shell, stick = synthetic_protein(), rod()
    seen = [(shell, Rotation.identity()), (stick, Rotation.identity()), (stick, SIDE_ON)]
    views = np.stack([project_protein(*view, BOX, PIXEL_SIZE, np.zeros(2)) for view in seen])
    which = rng.integers(0, 3, 300)
    turns = Rotation.from_euler("z", rng.uniform(0, 360, (300, 1)), degrees=True)
    rotations = Rotation.concatenate([turn * seen[number][1] for turn, number in zip(turns, which, strict=True)])
    proteins = [seen[number][0] for number in which]
    stack, _ = simulate_particles(proteins, rotations, OPTICS, box=BOX, pixel_size=PIXEL_SIZE, rng=rng, spread=0.8)
    return stack, which, views
