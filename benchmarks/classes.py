"""2D classification of simulated particles: what a batch costs, and whether two proteins are told apart.

Half of the particles are a shell like ferritin, half a piece of it, all in random orientations, places and rotations.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from benchmarks.yardstick import TRANSFORMS, yardstick
from emlab.arrays.classes import Field, Polar, learn, shrunk, transfer_on, views
from emlab.arrays.ctf import Defocus, Lens
from emlab.simulation import Optics
from emlab.simulation.particles import simulate_particles
from emlab.simulation.protein import Protein, synthetic_protein

BOX, SIZE, PIXEL_SIZE, DIAMETER = 72, 64, 3.0, 150.0
"""px of the particles and of the averages; Å."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be chosen."""
    parser.add_argument("--particles", type=int, default=1000, help="of a batch")
    parser.add_argument("--classes", type=int, default=20)
    parser.add_argument("--batches", type=int, default=3)


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Classify batches, and compare the classes with the truth."""
    count = 200 if arguments.quick else arguments.particles
    classes = 6 if arguments.quick else arguments.classes
    pixel_size = PIXEL_SIZE * BOX / SIZE
    radius = DIAMETER / 2 / pixel_size
    field = Field(Polar.of_images(SIZE, radius + 4), radius, 0.1 * DIAMETER / pixel_size)
    rng, proteins = np.random.default_rng(0), _proteins()
    learned = None
    seconds, pure, moved = [], [], []
    for _ in range(arguments.batches):
        optics = Optics(defocus_u=rng.uniform(12_000, 25_000), defocus_v=11_800, defocus_angle=30)
        which = rng.integers(0, 2, count)
        rotations = Rotation.random(count, rng)
        stack, centres = simulate_particles(
            [proteins[kind] for kind in which], rotations, optics, box=BOX, pixel_size=PIXEL_SIZE, rng=rng, spread=1.5
        )
        started = time.process_time()
        lens = Lens.of_microscope(optics.voltage, optics.spherical_aberration, optics.amplitude_contrast)
        defocus = Defocus.from_axes(optics.defocus_u, optics.defocus_v, optics.defocus_angle)
        transfers = transfer_on(field.polar, pixel_size, lens, defocus)[None]
        seen = views(field.polar, shrunk(stack, SIZE), field.particle_mask, transfers, np.zeros(count, int))
        learned, found = learn(field, seen, learned, classes, seed=1)
        seconds.append(time.process_time() - started)
        kinds = (np.bincount(which[found.classes == number], minlength=2).max() for number in range(classes))
        pure.append(sum(map(int, kinds)) / count)
        away = found.shifts * pixel_size - centres * PIXEL_SIZE
        moved.append(float(np.sqrt((away[which == 0] ** 2).mean())))
    assert learned is not None
    transform = yardstick(5) / TRANSFORMS
    resolved = learned.resolved[learned.resolved > 0]
    return {
        "particles": count,
        "classes": classes,
        "first_batch_cpu_seconds": seconds[0],
        "first_batch_transforms": seconds[0] / transform,
        "later_batch_cpu_seconds": float(np.mean(seconds[1:] or [np.nan])),
        "later_batch_transforms": float(np.mean(seconds[1:] or [np.nan])) / transform,
        "purity_first": pure[0],
        "purity_last": pure[-1],
        "shell_centre_rms": moved[-1],
        "median_resolution": float(np.median(SIZE * pixel_size / resolved)) if resolved.size else float("nan"),
        "transform_cpu_ms": 1e3 * transform,
    }


def _proteins() -> tuple[Protein, Protein]:
    shell = synthetic_protein()
    piece = shell.atoms[(shell.atoms[:, 1] > 0.0) & (shell.atoms[:, 0] > -20.0)]
    return shell, Protein(piece - piece.mean(axis=0), np.ones(len(piece), np.float32))
