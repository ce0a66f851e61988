"""Spectra of frames, shifted and weighted, added up."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from emlab.arrays.cuda import Cuda
from emlab.arrays.kernel import kernel
from emlab.arrays.module import array_module
from emlab.arrays.motion.move import ramps
from emlab.arrays.threads import by_rows

Array = NDArray[Any]

_CUDA: Final = Cuda(__file__)


def add_weighted(
    spectrum: Array, shift: tuple[float, float], width: int, weight: Array, ring: Array, total: Array, weighted: Array
) -> None:
    """Add to ``total`` the spectrum of a frame, moved by minus ``shift``, and to ``weighted`` the same with weights.

    Parameters
    ----------
    spectrum, total, weighted
        Half spectra, complex64 (y, width // 2 + 1).
    shift
        Displacement of the specimen (y, x), px.
    width
        Of the frame, px.
    weight
        By ring: float32 (ring,).
    ring
        Of each sample: uint16 (y, width // 2 + 1).
    """
    if array_module(spectrum) is not np:
        moved = (*spectrum.shape, width, float(shift[0]), float(shift[1]))
        _CUDA("add", spectrum.shape, spectrum, *moved, weight, ring, total, weighted)
        return
    along_y, along_x = ramps(spectrum.shape[0], width, shift)
    turns = _pairs(along_y[:, None]), _pairs(along_x[None])
    by_rows(_add, len(spectrum), _pairs(spectrum), *turns, weight, ring, _pairs(total), _pairs(weighted))


def _pairs(spectrum: Array) -> Array:
    """Real and imaginary parts side by side: float32 (y, 2 x); the compiler does not vectorise complex numbers."""
    return spectrum.view(np.float32)


@kernel
def _add(
    start: int,
    stop: int,
    spectrum: Array,
    along_y: Array,
    along_x: Array,
    weight: Array,
    ring: Array,
    total: Array,
    weighted: Array,
) -> None:
    for y in range(start, stop):
        c, s = along_y[y, 0], along_y[y, 1]
        source, target, second, rings, ramp = spectrum[y], total[y], weighted[y], ring[y], along_x[0]
        for x in range(source.size // 2):
            real = c * ramp[2 * x] - s * ramp[2 * x + 1]
            imaginary = c * ramp[2 * x + 1] + s * ramp[2 * x]
            a = source[2 * x] * real - source[2 * x + 1] * imaginary
            b = source[2 * x] * imaginary + source[2 * x + 1] * real
            w = weight[rings[x]]
            target[2 * x] += a
            target[2 * x + 1] += b
            second[2 * x] += w * a
            second[2 * x + 1] += w * b
