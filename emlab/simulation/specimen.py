"""The specimen: protein in ice, and what else lies in the beam."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from emlab.arrays.fft import irfft2, rfft2
from emlab.simulation.carbon import THICKNESS, carbon_mask, carbon_power
from emlab.simulation.contamination import contamination
from emlab.simulation.ice import crystalline_phase
from emlab.simulation.optics import frequencies
from emlab.simulation.protein import Protein, read_protein, synthetic_protein
from emlab.simulation.scattering import (
    WATER_DENSITY,
    mean_free_path,
    phase_per_length,
    protein_scattering,
    water_scattering,
)
from emlab.simulation.spline import deposit, smoothing

Array = NDArray[Any]

_SLICE: Final = 100.0
"""Heights of particles are multiples of this, Å."""
_UNDULATION: Final = 0.04
"""How much the ice varies in thickness, RMS share."""
_BREADTH: Final = 500.0
"""Over what distance it does, Å."""
_OPACITY: Final = 0.3
"""Mean free path in a lump of ice, share of that in vitreous ice: lumps are crystalline and scatter far."""
_CARBON_OPACITY: Final = 2.0
"""How much more of the electrons carbon takes than ice of its thickness."""


@dataclass(frozen=True, kw_only=True)
class Specimen:
    """What is in the beam.

    Attributes
    ----------
    model
        Path of an atomic model (PDB, mmCIF); ``None`` for a made-up protein like ferritin.
    particle_density
        Particles per µm².
    ice_thickness
        Å.
    crystals
        Patches of crystalline ice in the field.
    lumps
        Pieces of ice contamination in the field.
    carbon
        Share of the field that lies on the carbon film, 0 to 1.
    """

    model: str | None = None
    particle_density: float = 2200.0
    ice_thickness: float = 350.0
    crystals: int = 0
    lumps: int = 0
    carbon: float = 0.0


@dataclass(frozen=True)
class Projection:
    """A specimen seen along the beam; the ice between the particles is not in it, for it changes.

    Attributes
    ----------
    protein
        Height above the middle (Å) → half spectrum of the phase (radians) of the particles there, complex64.
    support
        Phase of what the beam does not damage, radians, float32 (y, x).
    absorption
        Share of the electrons that it takes beyond the ice's, float32 (y, x).
    particles
        Centres y, x (px) and height (Å): float64 (particle, 3).
    """

    protein: dict[float, Array]
    support: Array
    absorption: Array
    particles: Array


def project(
    specimen: Specimen, shape: tuple[int, int], pixel_size: float, voltage: float, rng: np.random.Generator
) -> Projection:
    """The projection of a specimen with particles in random places and orientations.

    Parameters
    ----------
    shape
        (y, x) px.
    pixel_size
        Å.
    voltage
        kV.

    Raises
    ------
    FormatError
        If the atomic model cannot be read.
    """
    protein = read_protein(Path(specimen.model)) if specimen.model else synthetic_protein()
    particles = _placed(specimen, protein.diameter, shape, pixel_size, rng)
    support, absorption = _surroundings(specimen, shape, pixel_size, voltage, rng)
    return Projection(
        _protein_phase(protein, particles, shape, pixel_size, voltage, rng), support, absorption, particles
    )


def _placed(
    specimen: Specimen, diameter: float, shape: tuple[int, int], pixel_size: float, rng: np.random.Generator
) -> Array:
    wanted = round(specimen.particle_density * shape[0] * shape[1] * (pixel_size * 1e-4) ** 2)
    apart = 1.02 * diameter / pixel_size
    centres = np.empty((0, 2))
    for _ in range(20 * wanted):
        if len(centres) == wanted:
            break
        candidate = rng.uniform(0.0, 1.0, 2) * shape
        if not np.any(((centres - candidate) ** 2).sum(axis=1) < apart**2):
            centres = np.vstack([centres, candidate])
    room = max(0.0, specimen.ice_thickness - diameter) / 2
    heights = np.round(rng.uniform(-room, room, len(centres)) / _SLICE) * _SLICE
    return np.column_stack([centres, heights])


def _protein_phase(
    protein: Protein,
    particles: Array,
    shape: tuple[int, int],
    pixel_size: float,
    voltage: float,
    rng: np.random.Generator,
) -> dict[float, Array]:
    ky, kx = frequencies(shape, pixel_size)
    factor = protein_scattering(ky**2 + kx**2) * (phase_per_length(voltage) / pixel_size**2)
    factor = (factor / smoothing(shape)).astype(np.float32)
    orientations = Rotation.random(len(particles), rng).as_matrix().astype(np.float32)
    phase: dict[float, Array] = {}
    for height in np.unique(particles[:, 2]):
        points = np.zeros(shape, np.float32)
        for number in np.flatnonzero(particles[:, 2] == height):
            seen = protein.atoms @ orientations[number, :2].T / np.float32(pixel_size)
            y, x = particles[number, 0] + seen[:, 1], particles[number, 1] + seen[:, 0]
            deposit(points, y, x, protein.weights)
        phase[float(height)] = rfft2(points) * factor
    return phase


def _surroundings(
    specimen: Specimen, shape: tuple[int, int], pixel_size: float, voltage: float, rng: np.random.Generator
) -> tuple[Array, Array]:
    ky, kx = frequencies(shape, pixel_size)
    k_squared = ky**2 + kx**2
    path = mean_free_path(voltage)
    phase_per_thickness = phase_per_length(voltage) * WATER_DENSITY * float(water_scattering(0.0))
    support = crystalline_phase(rng, shape, pixel_size, specimen.crystals)
    uneven = _filtered(np.exp(-k_squared * _BREADTH**2), shape, rng) * (
        _BREADTH / (pixel_size * math.sqrt(math.pi / 2))
    )
    absorption = _UNDULATION * specimen.ice_thickness / path * uneven
    if specimen.lumps:
        thickness = contamination(rng, shape, pixel_size, specimen.lumps)
        support += _OPACITY * phase_per_thickness * thickness
        absorption += -np.expm1(-thickness / (_OPACITY * path))
    if specimen.carbon:
        mask = carbon_mask(rng, shape, pixel_size, specimen.carbon)
        grain = _filtered(np.sqrt(carbon_power(k_squared, voltage)) / pixel_size, shape, rng)
        support += mask * grain
        absorption += mask * -math.expm1(-_CARBON_OPACITY * THICKNESS / path)
    return support, absorption.astype(np.float32)


def _filtered(amplitude: Array, shape: tuple[int, int], rng: np.random.Generator) -> Array:
    return irfft2(rfft2(rng.standard_normal(shape, dtype=np.float32)) * amplitude.astype(np.float32), shape[1])
