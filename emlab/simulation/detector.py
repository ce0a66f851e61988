"""A counting camera: uneven pixels, dead and hot ones, and electrons that are counted twice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numba
import numpy as np
from numpy.typing import NDArray

from emlab.arrays.fft import irfft2, rfft2

Array = NDArray[Any]

_DOUBLES: Final = 0.08
"""Share of the counts that are another pixel's electron."""
_SPREAD: Final = 0.25
"""Of the place where an electron is counted, RMS px per axis."""


@dataclass(frozen=True)
class Detector:
    """One camera, the same for a whole session.

    Attributes
    ----------
    gain_reference
        What raw counts are multiplied with, 0 at dead pixels: float32 (y, x).
    sensitivity
        Counts per electron, which the gain reference knows only to half a percent: float32 (y, x).
    hot
        Counts per frame that the hot pixels add: float32 (y, x), 0 elsewhere.
    """

    gain_reference: Array
    sensitivity: Array
    hot: Array

    def read(self, electrons: Array, rng: np.random.Generator) -> Array:
        """One raw frame: uint8 (y, x).

        Parameters
        ----------
        electrons
            Expected in each pixel, float32 (y, x).
        """
        counts = count(electrons * self.sensitivity + self.hot, rng)
        counts[self.gain_reference == 0.0] = 0
        return np.minimum(counts, 255).astype(np.uint8)


def build_detector(shape: tuple[int, int], seed: int = 0) -> Detector:
    """A camera of ``shape`` (y, x) px with a pattern of its own for each ``seed``."""
    rng = np.random.default_rng([seed, 0xDE7])
    grain = rng.standard_normal(shape, dtype=np.float32)
    rows, columns = np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None, :]
    broad = irfft2(rfft2(grain) * np.exp(-((rows**2 + columns**2) * (shape[0] / 5) ** 2)).astype(np.float32), shape[1])
    # The camera is read by strips, each with an amplifier of its own.
    strips = np.repeat(rng.normal(0.0, 0.01, 8), -(-shape[1] // 8))[: shape[1]].astype(np.float32)
    pattern = 0.03 * broad / broad.std() + 0.04 * rng.standard_normal(shape, dtype=np.float32) + strips
    sensitivity = np.clip(1.0 + pattern, 0.7, 1.3)
    known = sensitivity * (1.0 + 0.005 * rng.standard_normal(shape, dtype=np.float32))
    gain = (1.0 / known).astype(np.float32)
    gain /= gain.mean()
    defects = max(1, sensitivity.size // 40000)
    dead = rng.integers(0, shape, (defects, 2))
    gain[dead[:, 0], dead[:, 1]] = 0.0
    gain[:, rng.integers(0, shape[1])] = 0.0
    sensitivity[gain == 0] = 0.0
    hot = np.zeros(shape, np.float32)
    warm = rng.integers(0, shape, (defects, 2))
    hot[warm[:, 0], warm[:, 1]] = rng.uniform(6.0, 120.0, defects)
    hot[gain == 0] = 0.0
    return Detector(gain, sensitivity.astype(np.float32), hot)


def count(electrons: Array, rng: np.random.Generator) -> Array:
    """Counts for expected ``electrons``, both (y, x): uint16.

    Notes
    -----
    Eight counts in a hundred are the same electron in the next pixel: neighbours are correlated, and the noise's
    spectrum falls from 1.16 times the counts to 1 towards the Nyquist frequency of an axis and 0.84 of both.
    """
    return _counted(electrons, rng.random((2, *electrons.shape), dtype=np.float32))  # type: ignore[no-any-return]


def transfer(shape: tuple[int, int]) -> Array:
    """Modulation transfer of square pixels and of the spread of a hit: float32 (y, x // 2 + 1)."""
    rows, columns = np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None, :]
    spread = np.exp(-2.0 * (np.pi * _SPREAD) ** 2 * (rows**2 + columns**2))
    return (np.sinc(rows) * np.sinc(columns) * spread).astype(np.float32)  # type: ignore[no-any-return]


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def _counted(mean: Array, chances: Array) -> Array:
    """Counts, uint16 (y, x), for two uniform random numbers in [0, 1) per pixel, (2, y, x)."""
    height, width = mean.shape
    counts = np.zeros((height, width), np.uint16)
    twice = np.empty(width, np.uint16)
    for y in range(height):
        _draw(mean[y] * (1.0 - 2.0 * _DOUBLES), chances[0, y], counts[y])
        twice[:] = 0
        _draw(mean[y] * _DOUBLES, chances[1, y], twice)
        for x in range(width):
            counts[y, x] += twice[x]
            if (y + x) % 2:
                counts[y, min(x + 1, width - 1)] += twice[x]
            else:
                counts[min(y + 1, height - 1), x] += twice[x]
    return counts


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def _draw(mean: Array, chances: Array, counts: Array) -> None:
    """Add Poisson deviates to a row: where the distribution function exceeds ``chances``.

    The row is done at once, count by count, for that compiles to vector instructions.
    """
    probability = np.exp(-mean)
    reached = probability.copy()
    number, above = 0, 1
    while above:
        number += 1
        above = 0
        each = 1.0 / number
        for x in range(len(mean)):
            more = chances[x] > reached[x]
            counts[x] += more
            above += more
            probability[x] *= mean[x] * each
            reached[x] += probability[x]
