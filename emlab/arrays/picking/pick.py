"""The particles of a micrograph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from emlab.arrays.module import to_host
from emlab.arrays.picking.coarse import coarsened
from emlab.arrays.picking.filter import noise_map, score_map
from emlab.arrays.picking.obstacles import film, lumps
from emlab.arrays.picking.peaks import best_places

Array = NDArray[Any]

APART: Final = 0.7
"""Diameters between the centres of neighbours, at least: a little overlap is left to later steps."""
_BALLS: Final = 1.0, 0.7, 0.78, 0.88, 1.13, 1.28
"""Diameters of the balls that are tried: a particle is not a ball, and how large it is often a guess. All particles of
a micrograph are found with the same one, that with which they stand out most."""


@dataclass(frozen=True, eq=False)
class Found:
    """What was found.

    Attributes
    ----------
    places
        Float32 (particle, 3): x (column), y (row), px, (0, 0) being the centre of the first pixel; and the score. The
        best come first.
    ball
        Diameter of the ball that fits the particles best, Å, of those from 0.7 to 1.28 times what was said. Particles
        that are not round are like smaller balls.
    excluded
        The part of the micrograph, 0 to 1, that contamination or the film takes.
    """

    places: Array
    ball: float
    excluded: float


def find_particles(
    image: Array,
    pixel_size: float,
    diameter: float,
    *,
    threshold: float,
    apart: float | None = None,
    bright: bool = False,
    avoid: bool = True,
) -> Found:
    """The particles of a micrograph that are about as large as is said.

    Parameters
    ----------
    image
        Axes (y, x).
    pixel_size
        Å.
    diameter
        Of the particle, Å.
    threshold
        Least score, standard deviations of the noise.
    apart
        Å between the centres of neighbours, at least; by default 0.7 diameters.
    bright
        Whether particles are brighter than the ice.
    avoid
        Whether to keep off contamination and the carbon film.

    Raises
    ------
    DataError
        If the diameter does not go with the image.
    """
    image = -image if bright else image
    coarse = coarsened(image, pixel_size, diameter)
    noise = noise_map(coarse, diameter)
    scores = score_map(coarse, diameter, noise)
    usable = np.ones(coarse.image.shape, bool)
    if avoid:
        usable &= ~lumps(coarse, diameter, scores, noise)
        usable &= ~film(to_host(image), coarse, pixel_size, diameter, usable)
        noise = noise_map(coarse, diameter, usable)
    distance = APART * diameter if apart is None else apart
    steps = [distance / length for length in coarse.pixel_size]
    choices = {
        ball: best_places(score_map(coarse, diameter, noise, ball), threshold, steps, usable)
        for ball in (factor * diameter for factor in _BALLS)
    }
    ball, places = max(choices.items(), key=lambda choice: float(np.sum(choice[1][:, 2] - threshold)))
    found = np.column_stack([places[:, 1] * coarse.scale[1], places[:, 0] * coarse.scale[0], places[:, 2]])
    margin = diameter / 2 / pixel_size
    inside = np.all((found[:, :2] >= margin) & (found[:, :2] <= np.array(image.shape[::-1]) - margin), axis=1)
    found = found[inside]
    return Found(found.astype(np.float32), ball, float(1.0 - usable.mean()))
