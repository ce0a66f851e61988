"""Which way frames should be shifted to agree better."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from emlab.arrays.cuda import Cuda
from emlab.arrays.kernel import kernel
from emlab.arrays.module import array_module, to_host
from emlab.arrays.motion.band import Band

Array = NDArray[Any]

_CUDA: Final = Cuda(__file__)


def align(samples: Array, band: Band, shifts: Array) -> Array:
    """Samples of frames that are moved back by ``shifts``: complex64 (…, frame, sample).

    Parameters
    ----------
    samples
        Of one patch or of several: complex64 (…, frame, sample).
    shifts
        Displacement of the specimen: float64 (…, frame, yx), px.
    """
    xp = array_module(samples)
    aligned = xp.empty(samples.shape, np.complex64)
    if xp is not np:
        count, rows = samples.shape[-1], samples.size // samples.shape[-1]
        turned = count, xp.asarray(band.frequency), xp.asarray(shifts), rows
        _CUDA("turn", (rows, count), xp.ascontiguousarray(samples), *turned, aligned)
        return aligned  # type: ignore[no-any-return]
    along_y, along_x = np.fft.fftfreq(band.shape[0]), np.fft.rfftfreq(band.shape[1])
    for source, target, shift in zip(_by_patch(samples), _by_patch(aligned), _by_patch(shifts), strict=True):
        ramp_y = np.exp(2j * np.pi * np.outer(shift[:, 0], along_y)).astype(np.complex64)
        ramp_x = np.exp(2j * np.pi * np.outer(shift[:, 1], along_x)).astype(np.complex64)
        _turn(source, ramp_y, ramp_x, band.row, band.column, target)
    return aligned  # type: ignore[no-any-return]


def score(aligned: Array, band: Band, weights: Array) -> Array:
    """Gradient of the log likelihood of aligned samples with the shifts: float64 (…, frame, yx), 1/px.

    Parameters
    ----------
    aligned
        Of one patch or of several: complex64 (…, frame, sample).
    weights
        Of pairs of frames, by ring: float32 (ring, frame, frame).
    """
    xp = array_module(aligned)
    reference = xp.empty_like(aligned)
    for ring, weight in zip(band.rings, xp.asarray(weights), strict=True):
        part = xp.ascontiguousarray(aligned[..., ring]).view(np.float32)
        reference[..., ring] = (weight @ part).view(np.complex64)
    if xp is not np:
        pull = (aligned.conj() * reference).imag @ xp.asarray(band.frequency).T
        return 4 * np.pi * to_host(pull).astype(np.float64)
    gradient = np.empty((*aligned.shape[:-1], 2))
    for one, other, result in zip(_by_patch(aligned), _by_patch(reference), _by_patch(gradient), strict=True):
        _pull(one.view(np.float32), other.view(np.float32), band.frequency, result)
    return 4 * np.pi * gradient


def _by_patch(array: Array) -> Array:
    return array.reshape(-1, *array.shape[-2:])


@kernel
def _turn(samples: Array, ramp_y: Array, ramp_x: Array, row: Array, column: Array, aligned: Array) -> None:
    for frame in range(samples.shape[0]):
        source, target, along_y, along_x = samples[frame], aligned[frame], ramp_y[frame], ramp_x[frame]
        for index in range(source.size):
            target[index] = source[index] * (along_y[row[index]] * along_x[column[index]])


@kernel
def _pull(aligned: Array, reference: Array, frequency: Array, gradient: Array) -> None:
    along_y, along_x = frequency[0], frequency[1]
    for frame in range(aligned.shape[0]):
        y, r = aligned[frame], reference[frame]
        up, right = np.float32(0), np.float32(0)
        for index in range(along_y.size):
            imaginary = y[2 * index] * r[2 * index + 1] - y[2 * index + 1] * r[2 * index]
            up += imaginary * along_y[index]
            right += imaginary * along_x[index]
        gradient[frame, 0] = up
        gradient[frame, 1] = right
