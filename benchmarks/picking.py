"""Picking and extraction: what a 4096² micrograph costs, how many particles are found, and how many are false."""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from benchmarks.yardstick import TRANSFORMS, yardstick
from emlab.arrays.boxes import Box, cut_out, fitting, normalise
from emlab.arrays.picking import find_particles
from emlab.formats.image import read_image
from emlab.simulation import Conditions, Optics, Specimen, simulate_micrograph

Array = NDArray[Any]

NEAR = 0.25
"""Diameters between a place found and a true one that count as the same."""
THRESHOLD = 3.5
SPECIMENS: dict[str, Specimen] = {
    "ordinary": Specimen(),
    "thick": Specimen(ice_thickness=1200.0),
    "dense": Specimen(particle_density=5000.0),
    "lumps": Specimen(lumps=8),
    "empty": Specimen(particle_density=0.0),
    "empty_lumps": Specimen(particle_density=0.0, lumps=6),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be chosen."""
    parser.add_argument("--model", help="an atomic model (PDB, mmCIF) in place of the made-up, round protein")
    parser.add_argument("--diameter", type=float, default=125.0, help="of the particle, Å")
    parser.add_argument("--marked", type=Path, help="a folder of micrographs NAME.mrc and marks NAME_gt_centroids.csv")


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure the cost of one micrograph, then what is found on simulated ones, and on those that a person marked."""
    diameter, size = arguments.diameter, 1024 if arguments.quick else 2048
    unit = yardstick(10)
    conditions = Conditions(seed=77, frames=40, dose_per_frame=1.0, pixel_size=1.1)
    figures: dict[str, Any] = {"yardstick_cpu_seconds": unit}
    figures |= _costs(conditions, diameter, unit / TRANSFORMS)
    for name, specimen in SPECIMENS.items():
        counts = np.zeros(4, int)
        for number, defocus in enumerate((6_000.0, 12_000.0, 24_000.0)):
            optics = Optics(defocus_u=defocus + 150.0, defocus_v=defocus - 150.0, vibration=0.9)
            chosen = replace(conditions, seed=77 + number, size=(size, size), optics=optics)
            image, truth = simulate_micrograph(replace(chosen, specimen=replace(specimen, model=arguments.model)))
            found = find_particles(image, 1.1, diameter, threshold=THRESHOLD)
            counts += _counted(found.places[:, :2], truth.particles[:, 1::-1], image.shape, 1.1, diameter)
        figures |= {f"{name}_{key}": value for key, value in _shares(counts).items()}
    if arguments.marked:
        counts = np.zeros(4, int)
        for marks in sorted(arguments.marked.glob("*_gt_centroids.csv")):
            image, pixel_size = read_image(marks.with_name(marks.name.replace("_gt_centroids.csv", ".mrc")))
            found = find_particles(image, pixel_size or 1.5, diameter, threshold=THRESHOLD)
            true = np.loadtxt(marks, delimiter=",", skiprows=1)
            counts += _counted(found.places[:, :2], true, image.shape, pixel_size or 1.5, diameter)
        figures |= {f"marked_{key}": value for key, value in _shares(counts).items()}
    return figures


def _costs(conditions: Conditions, diameter: float, transform: float) -> dict[str, float]:
    image, _ = simulate_micrograph(replace(conditions, size=(4096, 4096)))
    seconds = []
    for _ in range(3):
        started = time.process_time()
        found = find_particles(image, conditions.pixel_size, diameter, threshold=THRESHOLD)
        picked = time.process_time()
        box = Box.of(1.5 * diameter, conditions.pixel_size, 3.5 / conditions.pixel_size)
        places = np.rint(found.places[:, :2]).astype(int)
        places = places[fitting(places, image.shape, box.cut)]
        radius = 0.55 * diameter / conditions.pixel_size
        normalise(cut_out(image, places, box, radius, 1), radius / box.binning)
        seconds.append((picked - started, time.process_time() - picked))
    pick, extract = np.min(seconds, axis=0)
    return {
        "pick_cpu_seconds": float(pick),
        "pick_transforms": float(pick / transform),
        "extract_cpu_seconds": float(extract),
        "extracted": len(places),
    }


def _counted(found: Array, true: Array, shape: tuple[int, ...], pixel_size: float, diameter: float) -> Array:
    """True ones, those of them that were found; found ones, those of them that are true; off the edges."""
    size, margin = np.array(shape[::-1]), 0.52 * diameter / pixel_size
    near = NEAR * diameter / pixel_size
    inner = true[np.all((true > margin) & (true < size - margin), axis=1)]
    hits = int((cKDTree(found).query(inner)[0] < near).sum()) if len(found) and len(inner) else 0
    right = int((cKDTree(true).query(found)[0] < near).sum()) if len(found) and len(true) else 0
    return np.array([len(inner), hits, len(found), right])


def _shares(counts: Array) -> dict[str, float]:
    true, hits, found, right = counts.tolist()
    figures: dict[str, float] = {"false": found - right}
    if true:
        figures |= {"particles": true, "recall": hits / true, "precision": right / max(found, 1)}
    return figures
