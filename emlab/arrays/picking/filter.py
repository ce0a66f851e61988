"""How much each place of a micrograph looks like a round particle."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from emlab.arrays.picking.coarse import Coarse

Array = NDArray[Any]

_SOFTNESS: Final = 0.07
"""Standard deviation of the blur of the ball's rim, diameters: particles are neither quite round nor quite alike."""
_BREADTH: Final = 0.7
"""Diameters beyond which changes are the ice's, not a particle's."""
_AROUND: Final = 3.0
"""Diameters of the square in which the noise around a place is measured."""
_LEAST: Final = 0.05
"""Share of good pixels in that square, below which there is no telling."""


def score_map(coarse: Coarse, diameter: float, noise: Array, ball: float | None = None) -> Array:
    """The likeness of each place to a dark ball, in standard deviations of the noise around it: float32 (y, x).

    Parameters
    ----------
    diameter
        Of the particle, Å.
    noise
        Of `noise_map`: float32 (y, x).
    ball
        Diameter of the ball, Å; by default the particle's.

    Notes
    -----
    A matched filter, normalised by the local variance (Roseman 2003, 10.1016/S0304-3991(02)00333-9). Its unit is what
    noise of that variance, equal at all frequencies, would give: it does not depend on how many particles there are,
    so that one threshold suits dense and empty micrographs. The CTF is left out of the template on purpose: it
    sharpens the answer to round particles, and loses those that are not.
    """
    relief = _relief(coarse.squares, diameter)
    template = (_ball(coarse.squares, ball or diameter) * relief).astype(np.float32)
    response = -coarse.filtered(template)
    gain = np.sqrt(_mean_square(template, response.shape) / _mean_square(relief, response.shape))
    scores: Array = response / (gain * noise)
    return scores


def noise_map(coarse: Coarse, diameter: float, usable: Array | None = None) -> Array:
    """The standard deviation around each place of what is finer than a particle: float32 (y, x).

    Parameters
    ----------
    diameter
        Of the particle, Å.
    usable
        Bool (y, x): pixels that tell of the noise; all of them by default. Where there is hardly one around it is
        infinite.
    """
    fine = coarse.filtered(_relief(coarse.squares, diameter))
    size = [max(3, round(_AROUND * diameter / length) | 1) for length in coarse.pixel_size]
    if usable is None:
        everywhere: Array = np.sqrt(uniform_filter(fine**2, size, mode="reflect"))
        return everywhere
    share = uniform_filter(usable.astype(np.float32), size, mode="reflect")
    square = uniform_filter(np.where(usable, fine, 0.0) ** 2, size, mode="reflect")
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(share > _LEAST, np.sqrt(square / share), np.inf).astype(np.float32)


def _relief(squares: Array, diameter: float) -> Array:
    """What of each frequency is left of slow changes, of the ice's thickness and the illumination."""
    return (-np.expm1(-squares * (_BREADTH * diameter) ** 2)).astype(np.float32)


def _ball(squares: Array, diameter: float) -> Array:
    """The transform of a ball's projection with a soft rim, 1 at zero frequency."""
    turns = np.pi * diameter * np.sqrt(np.maximum(squares, 1e-12))
    ball = 3.0 * (np.sin(turns) - turns * np.cos(turns)) / turns**3
    return np.where(turns < 0.05, 1.0, ball) * np.exp(-2.0 * np.pi**2 * squares * (_SOFTNESS * diameter) ** 2)


def _mean_square(transfer: Array, shape: tuple[int, ...]) -> float:
    """Over the whole spectrum, of which the half is given."""
    square = transfer.astype(np.float64) ** 2
    return float(2.0 * square.sum() - square[:, 0].sum() - square[:, -1].sum()) / (shape[0] * shape[1])
