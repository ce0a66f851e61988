"""What of a power spectrum is not rings: its smooth background, and spots."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import BSpline

from emlab.arrays.ctf.rings import Rings
from emlab.errors import DataError

Array = NDArray[Any]

KNOT_SPACING = 0.02
"""1/Å: narrower than an ice ring, wider than the Thon rings that carry most of the information."""
LARGEST = 4.0
"""Times its ring's mean: what is larger is a spot (of a crystal, a lattice, a defect) and is cut to it."""
CUTS = 2
"""Spots raise their ring's mean, so that one cut does not find them all."""


@dataclass(frozen=True)
class Flattened:
    """A power spectrum relative to its smooth background.

    Attributes
    ----------
    rings
        Where the samples lie.
    excess
        (sample,) power over background, less 1; spots are cut.
    weights
        (ring,) of its samples: 1 over their variance around the ring's mean, relative to its average.
    """

    rings: Rings
    excess: Array
    weights: Array

    def up_to(self, frequency: float) -> Flattened:
        """The part up to a spatial frequency, 1/Å."""
        rings = self.rings.up_to(frequency)
        return Flattened(rings, self.excess[: rings.index.size], self.weights[: rings.counts.size])


def spline_basis(frequency: Array, spacing: float) -> Array:
    """Cubic B-splines with knots every ``spacing`` or less: (ring,) → (ring, spline), each row's sum 1."""
    pieces = max(3, int(np.ceil((frequency[-1] - frequency[0]) / spacing)))
    knots = np.linspace(frequency[0], frequency[-1], pieces + 1)
    padded = np.concatenate([np.repeat(knots[0], 3), knots, np.repeat(knots[-1], 3)])
    basis: Array = BSpline.design_matrix(frequency, padded, 3).toarray()
    return basis


def flatten(spectrum: Array, rings: Rings) -> Flattened:
    """A power spectrum relative to its smooth background, spots cut.

    Parameters
    ----------
    spectrum
        Power, (y, x), centred.

    Raises
    ------
    DataError
        If there is nothing in it.
    """
    power = spectrum.ravel()[rings.index].astype(np.float32)
    means = rings.means(power.astype(np.float64))
    if not np.all(np.isfinite(means)) or np.any(means <= 0):
        raise DataError("The power spectrum is blank or not finite; the micrograph has no usable pixels.")
    for _ in range(CUTS):
        power = np.minimum(power, rings.spread((LARGEST * means).astype(np.float32)))
        means = rings.means(power.astype(np.float64))
    excess = _relative(power, means, rings)
    variance = np.maximum(rings.means(excess**2) - rings.means(excess) ** 2, np.finfo(np.float32).tiny)
    return Flattened(rings, excess, variance.mean() / np.maximum(variance, 1e-3 * variance.mean()))


def _relative(power: Array, means: Array, rings: Rings) -> Array:
    """Power over the smooth curve through the rings' means, less 1."""
    basis = spline_basis(rings.frequency, KNOT_SPACING)
    root = np.sqrt(rings.counts)[:, None]
    logarithm = basis @ np.linalg.lstsq(basis * root, np.log(means) * root[:, 0], rcond=None)[0]
    # A ring is one sample wide, so that within it the background is straight.
    slope = rings.spread(np.gradient(logarithm).astype(np.float32))
    background = rings.spread(np.exp(logarithm).astype(np.float32)) * (1.0 + slope * rings.offset)
    return power / background - 1.0
