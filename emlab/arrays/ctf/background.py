"""What of a power spectrum is not rings: its smooth background, and spots."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import BSpline

from emlab.arrays.ctf.rings import Rings, added
from emlab.arrays.cuda import Cuda
from emlab.arrays.kernel import kernel
from emlab.arrays.module import array_module
from emlab.errors import DataError

Array = NDArray[Any]

_CUDA: Final = Cuda(__file__)
KNOTS: Final = np.array([0.05, 0.08, 0.12, 0.17, 0.22, 0.245, 0.27, 0.295, 0.32, 0.37, 0.45, 0.55, 0.65, 0.8])
"""1/Å: dense where the background bends, at low frequencies and about the ice ring, and sparse between, where bends
could be taken for the wide Thon rings of a low defocus."""
_BROAD_KNOTS: Final = np.array([0.1, 0.2, 0.3, 0.4, 0.5])
"""1/Å: of the lobes along the axes by which interpolated frames raise the power, stronger the finer, so far apart that
no Thon ring is bent."""
_NARROWEST: Final = 0.008
"""1/Å between the outermost knots and the ends."""
_FLATTEST: Final = 0.2
"""Share of the background that lobes leave at least."""
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
    sums
        (ring, 2) of the excess and of its square.
    weights
        (ring,) of its samples: 1 over their variance around the ring's mean, relative to its average.
    """

    rings: Rings
    excess: Array
    level: Array
    sums: Array
    weights: Array

    @classmethod
    def of(cls, rings: Rings, excess: Array, level: Array, sums: Array) -> Flattened:
        """With the weights that the sums tell."""
        mean, square = (sums / rings.counts[:, None]).T
        variance = np.maximum(square - mean**2, np.finfo(np.float32).tiny)
        return cls(rings, excess, level, sums, variance.mean() / np.maximum(variance, 1e-3 * variance.mean()))

    @property
    def total(self) -> float:
        """Weighted sum of the squared excess."""
        return float(self.weights @ self.sums[:, 1])

    def deviation(self, background: Array) -> float:
        """Standard deviation of the excess less a background, (ring,)."""
        counts, (sums, squares) = self.rings.counts, self.sums.T
        mean = (sums - counts * background).sum() / counts.sum()
        square = (squares - 2.0 * background * sums + counts * background**2).sum() / counts.sum()
        return float(np.sqrt(square - mean**2))

    def up_to(self, frequency: float) -> Flattened:
        """The part up to a spatial frequency, 1/Å."""
        rings = self.rings.up_to(frequency)
        end, number = rings.index.size, rings.counts.size
        return Flattened(rings, self.excess[:end], self.level[:end], self.sums[:number], self.weights[:number])


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
    power = spectrum.ravel()[rings.index].astype(np.float32, copy=False)
    means = rings.means(power)
    if not np.all(np.isfinite(means)) or np.any(means <= 0):
        raise DataError("The power spectrum is blank or not finite; the micrograph has no usable pixels.")
    curves = np.zeros((means.size, 5))
    limit, height, slope, lobes = curves[:, 0], curves[:, 1], curves[:, 2], curves[:, 3:]
    for _ in range(_CUTS):
        limit[:] = _LARGEST * means
        (means,) = _summed("cut", 1, power, rings, curves) / rings.counts
    logarithm = smoothed(np.log(means), rings, KNOTS)
    # A ring is one sample wide, so that within it the background is straight.
    height[:], slope[:] = np.exp(logarithm), np.gradient(logarithm)
    for lobe, sums in zip(lobes.T, _summed("lobes", 2, power, rings, curves), strict=True):
        lobe[:] = smoothed(2.0 * sums / rings.counts, rings, _BROAD_KNOTS)
    xp = array_module(power)
    excess, level = xp.empty_like(power), xp.empty_like(power)
    return Flattened.of(rings, excess, level, _summed("flatten", 2, power, rings, curves, _FLATTEST, excess, level).T)


def smoothed(values: Array, rings: Rings, knots: Array) -> Array:
    """(ring,) the smooth curve through the rings' values, of which larger rings have more."""
    basis, solution = _solution(rings, knots.tobytes())
    curve: Array = basis @ (solution @ values)
    return curve


@lru_cache(maxsize=16)
def _solution(rings: Rings, knots: bytes) -> tuple[Array, Array]:
    """Splines, and the matrix that makes their coefficients of the rings' values."""
    basis, root = spline_basis(rings.frequency, np.frombuffer(knots)), np.sqrt(rings.counts)
    return basis, np.linalg.pinv(basis * root[:, None]) * root


def _summed(name: str, number: int, power: Array, rings: Rings, curves: Array, *more: Any) -> Array:
    """What a kernel adds up over each ring: (number, ring).

    Parameters
    ----------
    curves
        (ring, 5): what larger samples are cut to; height of the background, and its slope, as a share of it; height
        of the lobes with four and with eight parts.
    """
    xp, given = array_module(power), (power, rings.offset, rings.cosines)
    if xp is not np:
        return added(_CUDA, name, rings.bounds, number, *given, xp.asarray(curves), *more).T
    sums = np.empty((len(curves), number))
    _KERNELS[name](*given, curves, *more, rings.starts, rings.counts, sums)
    return sums.T


@kernel
def _cut(power: Array, offset: Array, cosines: Array, curves: Array, starts: Array, counts: Array, sums: Array) -> None:
    """Sums of the power, spots cut."""
    for ring in range(starts.size):
        total, limit = 0.0, curves[ring, 0]
        for i in range(starts[ring], starts[ring] + counts[ring]):
            total += min(np.float64(power[i]), limit)
        sums[ring, 0] = total


@kernel
def _lobes(
    power: Array, offset: Array, cosines: Array, curves: Array, starts: Array, counts: Array, sums: Array
) -> None:
    """Sums of the excess over the smooth background, multiplied with lobes along the axes: four, and eight."""
    for ring in range(starts.size):
        with_four, with_eight = 0.0, 0.0
        limit, height, slope = curves[ring, 0], curves[ring, 1], curves[ring, 2]
        for i in range(starts[ring], starts[ring] + counts[ring]):
            excess = min(np.float64(power[i]), limit) / (height * (1.0 + slope * offset[i])) - 1.0
            four = 2.0 * cosines[i] * cosines[i] - 1.0
            with_four += excess * four
            with_eight += excess * (2.0 * four * four - 1.0)
        sums[ring, 0], sums[ring, 1] = with_four, with_eight


@kernel
def _flatten(
    power: Array,
    offset: Array,
    cosines: Array,
    curves: Array,
    flattest: float,
    excess: Array,
    level: Array,
    starts: Array,
    counts: Array,
    sums: Array,
) -> None:
    """The background with its lobes, the excess over it, and sums of this and of its square."""
    for ring in range(starts.size):
        total, squares = 0.0, 0.0
        limit, height, slope, by_four, by_eight = curves[ring]
        for i in range(starts[ring], starts[ring] + counts[ring]):
            four = 2.0 * cosines[i] * cosines[i] - 1.0
            shape = max(1.0 + by_four * four + by_eight * (2.0 * four * four - 1.0), flattest)
            level[i] = height * (1.0 + slope * offset[i]) * shape
            excess[i] = min(np.float64(power[i]), limit) / level[i] - 1.0
            total += np.float64(excess[i])
            squares += np.float64(excess[i]) * np.float64(excess[i])
        sums[ring, 0], sums[ring, 1] = total, squares


_KERNELS: Final[dict[str, Callable[..., None]]] = {"cut": _cut, "lobes": _lobes, "flatten": _flatten}
