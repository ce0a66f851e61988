"""The defocus at each place of an image: what its tiles say, made smooth as far as they are uncertain."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, cholesky

from emlab.arrays.ctf.model import Defocus, Lens
from emlab.arrays.ctf.tiles import Tiles
from emlab.arrays.ctf.tilt import Plane
from emlab.arrays.ctf.waves import TileWaves

Array = NDArray[Any]

_HEIGHTS: Final = 0.0, 15.0, 30.0, 60.0, 120.0, 240.0, 480.0
"""Å RMS by which an uneven film leaves its plane."""
_LENGTHS: Final = 700.0, 1400.0, 2800.0
"""Å over which it does so."""
_NOISES: Final = 1.0, 2.0, 3.0, 4.5, 7.0, 10.0
"""Variance of a sum of samples over that of independent ones."""
_ROUGH: Final = 3.0
"""Evidence that any roughness needs: films are level more often than not."""
_ANY: Final = 3000.0, 1.0
"""Å and Å per Å: how far the plane may be corrected; loose."""
_STEPS: Final = 3
_LONGEST: Final = 150.0
"""Å that a single tile is followed in one step."""


@dataclass(frozen=True)
class LocalDefocus:
    """Relative to a reference defocus, at the middles of the tiles.

    Attributes
    ----------
    y, x
        (tile,) Å from the middle of the image.
    offset, error
        (tile,) defocus less that of the reference, and its standard error, Å.
    """

    y: Array
    x: Array
    offset: Array
    error: Array


def local_defocus(tiles: Tiles, lens: Lens, reference: Defocus, plane: Plane) -> LocalDefocus:
    """The smooth surface of defocus near a plane that the tiles make likely.

    Notes
    -----
    Each tile gives a value and how sharp it is. The surface is a Gaussian process around a plane; how far it leaves
    the plane, over what length, and how noisy the tiles are, are those of highest evidence, so that nothing is left
    of the roughness where noise explains it (Rasmussen & Williams 2006, 10.7551/mitpress/3206.001.0001, chapter 5).
    """
    waves = TileWaves.of(tiles, lens, reference)
    offsets = smooth = plane.at(tiles.y, tiles.x)
    for _ in range(_STEPS):
        pull, stiffness = waves.derivatives(smooth, waves.amplitude(smooth))
        stiffness = np.maximum(stiffness, 1e-3 * stiffness.mean())
        offsets = smooth + np.clip(pull / stiffness, -_LONGEST, _LONGEST)
        smooth, error = _likeliest(offsets, stiffness, tiles)
    return LocalDefocus(tiles.y, tiles.x, smooth, error)


def _likeliest(offsets: Array, stiffness: Array, tiles: Tiles) -> tuple[Array, Array]:
    """Mean and standard deviation of the process of highest evidence: (tile,) each."""
    squares = (tiles.y[:, None] - tiles.y) ** 2 + (tiles.x[:, None] - tiles.x) ** 2
    level, slope = _ANY
    planes = level**2 + slope**2 * (np.outer(tiles.y, tiles.y) + np.outer(tiles.x, tiles.x))
    best = -np.inf
    for height, length, noise in product(_HEIGHTS, _LENGTHS, _NOISES):
        prior = planes + height**2 * np.exp(-0.5 * squares / length**2)
        lower = cholesky(prior + np.diag(noise / stiffness), lower=True)
        solved = cho_solve((lower, True), offsets)
        evidence = -0.5 * float(offsets @ solved) - float(np.log(np.diag(lower)).sum()) - _ROUGH * (height > 0)
        if evidence > best:
            variance = np.diag(prior) - np.einsum("ij,ji->i", prior, cho_solve((lower, True), prior))
            best, mean, error = evidence, prior @ solved, np.sqrt(np.maximum(variance, 0.0))
    return mean, error
