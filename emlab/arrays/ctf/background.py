"""What of a power spectrum is not rings: its smooth background, and spots."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import BSpline

from emlab.arrays.ctf.rings import Rings
from emlab.errors import DataError

Array = NDArray[Any]

KNOTS: Final = np.array([0.05, 0.08, 0.12, 0.17, 0.22, 0.245, 0.27, 0.295, 0.32, 0.37, 0.45, 0.55, 0.65, 0.8])
"""1/Å: dense where the background bends, at low frequencies and about the ice ring, and sparse between, where bends
could be taken for the wide Thon rings of a low defocus."""
_BROAD_KNOTS: Final = np.array([0.1, 0.2, 0.3, 0.4, 0.5])
"""1/Å: of what differs with direction, so far apart that no Thon ring is bent."""
_NARROWEST: Final = 0.008
"""1/Å between the outermost knots and the ends."""
_LARGEST: Final = 4.0
"""Times its ring's mean: what is larger is a spot (of a crystal, a lattice, a defect) and is cut to it."""
_CUTS: Final = 2
"""Spots raise their ring's mean, so that one cut does not find them all."""


@dataclass(frozen=True, eq=False)
class Flattened:
    """A power spectrum relative to its smooth background.

    Attributes
    ----------
    rings
        Where the samples lie.
    excess
        (sample,) power over background, less 1; spots are cut.
    level
        (sample,) the background.
    weights
        (ring,) of its samples: 1 over their variance around the ring's mean, relative to its average.
    """

    rings: Rings
    excess: Array
    level: Array
    weights: Array

    @cached_property
    def total(self) -> float:
        """Weighted sum of the squared excess."""
        return float(self.weights @ self.rings.sums(self.excess**2))

    def up_to(self, frequency: float) -> Flattened:
        """The part up to a spatial frequency, 1/Å."""
        rings = self.rings.up_to(frequency)
        end = rings.index.size
        return Flattened(rings, self.excess[:end], self.level[:end], self.weights[: rings.counts.size])


def spline_basis(frequency: Array, knots: Array) -> Array:
    """Cubic B-splines with ``knots`` between the ends (1/Å): (ring,) → (ring, spline), each row's sum 1."""
    return _spline_basis(frequency.astype(np.float64).tobytes(), knots.tobytes())


@lru_cache(maxsize=16)
def _spline_basis(frequencies: bytes, knots_between: bytes) -> Array:
    """The same of a session's micrographs, again and again."""
    frequency, knots = np.frombuffer(frequencies), np.frombuffer(knots_between)
    low, high = frequency[0], frequency[-1]
    between = knots[(knots > low + _NARROWEST) & (knots < high - _NARROWEST)]
    padded = np.concatenate([np.repeat(low, 4), between, np.repeat(high, 4)])
    basis: Array = BSpline.design_matrix(frequency, padded, 3).toarray()
    basis.flags.writeable = False
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
    for _ in range(_CUTS):
        power = np.minimum(power, rings.spread((_LARGEST * means).astype(np.float32)))
        means = rings.means(power.astype(np.float64))
    level = _smooth(means, rings)
    level *= _lobes(power / level - 1.0, rings)
    excess = power / level - 1.0
    return Flattened(rings, excess, level, weights_of(excess, rings))


def weights_of(excess: Array, rings: Rings) -> Array:
    """(ring,) 1 over the variance of its samples around their mean, relative to the average: of (sample,)."""
    variance = np.maximum(rings.means(excess**2) - rings.means(excess) ** 2, np.finfo(np.float32).tiny)
    weights: Array = variance.mean() / np.maximum(variance, 1e-3 * variance.mean())
    return weights


def _smooth(means: Array, rings: Rings) -> Array:
    """(sample,) the smooth curve through the rings' means."""
    basis, root = spline_basis(rings.frequency, KNOTS), np.sqrt(rings.counts)
    logarithm = basis @ np.linalg.lstsq(basis * root[:, None], np.log(means) * root, rcond=None)[0]
    # A ring is one sample wide, so that within it the background is straight.
    slope, height = rings.spread(np.stack([np.gradient(logarithm), np.exp(logarithm)]).astype(np.float32))
    curve: Array = height * (1.0 + slope * rings.offset)
    return curve


def _lobes(excess: Array, rings: Rings) -> Array:
    """(sample,) the factor by which interpolated frames raise the power: lobes along the axes, stronger the finer."""
    basis, root = spline_basis(rings.frequency, _BROAD_KNOTS), np.sqrt(rings.counts)
    four = 2.0 * rings.cosines**2 - 1.0
    shape = np.ones_like(excess)
    for lobes in (four, 2.0 * four**2 - 1.0):
        height = 2.0 * rings.means(excess * lobes)
        smooth = basis @ np.linalg.lstsq(basis * root[:, None], height * root, rcond=None)[0]
        shape += rings.spread(smooth.astype(np.float32)) * lobes
    return np.maximum(shape, 0.2)
