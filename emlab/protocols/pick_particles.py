"""Pick the particles of each micrograph."""

from __future__ import annotations

import numpy as np

from emlab.model import Accepted, Ctf, Imaged, Micrograph, Parameters, Picks, Workbench, parameter, protocol, shared

CROWDED = 0.5
"""Part of a micrograph that may be excluded before somebody should look why."""


class PickParticles(Parameters):
    """Parameters of `pick_particles`."""

    diameter: float = parameter(
        gt=20,
        le=5000,
        unit="Å",
        label="Particle diameter",
        help="The longest side of the particle; an error of a quarter costs few particles.",
    )
    threshold: float = parameter(
        3.5,
        gt=0,
        le=100,
        label="Picking threshold",
        help="How far a particle must stand out, in standard deviations of the noise around it: 3 finds more and "
        "picks some noise, 5 finds only clear particles.",
    )
    min_distance: float | None = parameter(
        None,
        gt=0,
        unit="Å",
        label="Minimum distance",
        advanced=True,
        help="Distance between the centres of neighbours. By default: 0.7 diameters, so that both of two touching "
        "particles are found.",
    )
    avoid_obstacles: bool = parameter(
        True,
        label="Keep off carbon and contamination",
        help="Pick nothing on ice contamination and the like, or on a carbon film that covers part of the micrograph. "
        "A film that covers all of it is not avoided.",
    )
    bright_particles: bool = parameter(
        False,
        label="Bright particles",
        advanced=True,
        help="Particles are brighter than their surroundings, as in negative stain or after contrast inversion.",
    )


@protocol(title="Particle picking", consumes=(Accepted, Micrograph, Ctf), produces=Picks)
def pick_particles(
    accepted: Accepted, micrograph: Micrograph, ctf: Ctf, parameters: PickParticles, workbench: Workbench
) -> Picks:
    """Pick the particles of each accepted micrograph.

    Raises
    ------
    DataError
        If the diameter does not fit the size of the micrograph or of its pixels.
    """
    # When the first micrograph comes: forms and commands, which only need the parameters, do not wait for SciPy.
    from emlab.arrays.picking import find_particles

    found = find_particles(
        workbench.read_image(micrograph.path),
        micrograph.pixel_size,
        parameters.diameter,
        threshold=parameters.threshold,
        apart=parameters.min_distance,
        bright=parameters.bright_particles,
        avoid=parameters.avoid_obstacles,
    )
    scores = found.places[:, 2]
    return Picks(
        **shared(micrograph, Imaged),
        defocus_u=ctf.defocus_u,
        defocus_v=ctf.defocus_v,
        defocus_angle=ctf.defocus_angle,
        phase_shift=ctf.phase_shift,
        micrograph=micrograph.path,
        coordinates=workbench.write_array("picks", found.places),
        count=len(found.places),
        diameter=parameters.diameter,
        fitted_diameter=found.ball if len(found.places) else None,
        mean_score=float(scores.mean(dtype=np.float64)) if scores.size else None,
        excluded_area=found.excluded,
        warning=_warning(found.excluded, len(found.places)),
    )


def _warning(excluded: float, count: int) -> str | None:
    if excluded > CROWDED:
        return f"{excluded:.0%} of the micrograph looks like carbon or contamination; nothing is picked there."
    return None if count else "No particle was found."
