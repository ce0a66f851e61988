"""Images of single particles whose orientation is known: what classification is judged by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from emlab.arrays.fft import irfft2, rfft2
from emlab.simulation.damage import damage
from emlab.simulation.ice import phase_power
from emlab.simulation.lens import Lens
from emlab.simulation.optics import Optics
from emlab.simulation.protein import Protein
from emlab.simulation.scattering import mean_free_path, phase_per_length, protein_scattering
from emlab.simulation.spline import deposit, smoothing

Array = NDArray[Any]


def project_protein(protein: Protein, rotation: Rotation, box: int, pixel_size: float, centre: Array) -> Array:
    """Phase that a protein gives to the beam per unit of γ·λ, in a box of its own: float32 (y, x), protein bright.

    Parameters
    ----------
    rotation
        From the model's axes to (x, y, z), z along the beam.
    box
        px.
    centre
        (y, x) px from [box // 2, box // 2].
    """
    points = np.zeros((box, box), np.float32)
    seen = rotation.apply(protein.atoms)[:, :2].astype(np.float32) / np.float32(pixel_size)
    deposit(points, seen[:, 1] + np.float32(box // 2 + centre[0]), seen[:, 0] + np.float32(box // 2 + centre[1]),
            protein.weights)  # fmt: skip
    k_squared = np.fft.fftfreq(box, pixel_size)[:, None] ** 2 + np.fft.rfftfreq(box, pixel_size)[None, :] ** 2
    factor = protein_scattering(k_squared) / pixel_size**2 / smoothing((box, box))
    return irfft2(rfft2(points) * factor.astype(np.float32), box)


def simulate_particles(
    proteins: Sequence[Protein],
    rotations: Rotation,
    optics: Optics,
    *,
    box: int,
    pixel_size: float,
    rng: np.random.Generator,
    dose: float = 40.0,
    ice_thickness: float = 350.0,
    spread: float = 0.0,
) -> tuple[Array, Array]:
    """Particles as they are extracted: white, background of mean 0 and standard deviation 1; float32 (particle, y, x).

    Parameters
    ----------
    proteins, rotations
        Of each particle; see `project_protein`.
    box, pixel_size
        px, Å.
    dose
        e/Å².
    ice_thickness
        Å.
    spread
        Standard deviation of each coordinate of their centres, px.

    Returns
    -------
    stack
        The images.
    centres
        Where each is centred, (particle, yx) px from [box // 2, box // 2].
    """
    lens = Lens(optics, (box, box), pixel_size, ice_thickness)
    strength = phase_per_length(optics.voltage) * np.exp(-damage(lens.k_squared, dose / 2, optics.voltage))
    ice = np.sqrt(phase_power(lens.k_squared, ice_thickness, optics.voltage)) / pixel_size
    electrons = dose * pixel_size**2 * np.exp(-ice_thickness / mean_free_path(optics.voltage))
    centres = rng.normal(0.0, spread, (len(proteins), 2)) if spread else np.zeros((len(proteins), 2))
    at = np.arange(box) - box // 2
    stack = np.empty((len(proteins), box, box), np.float32)
    for number, protein in enumerate(proteins):
        phase = rfft2(project_protein(protein, rotations[number], box, pixel_size, centres[number]))
        water = rfft2(rng.standard_normal((box, box), dtype=np.float32)) * ice.astype(np.float32)
        image = lens.image({0.0: phase * strength.astype(np.float32)}) + lens.image_ice(water)
        counted = rng.normal(irfft2(image, box), 1.0 / np.sqrt(electrons)).astype(np.float32)
        outside = counted[np.hypot(at[:, None], at) > min(0.55 * protein.diameter / pixel_size, 0.46 * box)]
        stack[number] = (outside.mean() - counted) / outside.std()
    return stack, centres
