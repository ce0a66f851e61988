"""Which way frames should be shifted to agree better."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from emlab.arrays.kernel import kernel
from emlab.arrays.module import array_module, to_host
from emlab.arrays.motion.band import Band

Array = NDArray[Any]


def align(samples: Array, band: Band, shifts: Array) -> Array:
    """Samples of frames that are moved back by ``shifts``: complex64 (frame, sample).

    Parameters
    ----------
    samples
        Of one patch: complex64 (frame, sample).
    shifts
        Displacement of the specimen: float64 (frame, yx), px.
    """
    xp = array_module(samples)
    if xp is not np:
        turns = xp.asarray(shifts) @ xp.asarray(band.frequency, dtype=xp.float64)
        return samples * xp.exp(2j * np.pi * turns).astype(xp.complex64)  # type: ignore[no-any-return]
    height, width = band.shape
    ramp_y = np.exp(2j * np.pi * np.outer(shifts[:, 0], np.fft.fftfreq(height))).astype(np.complex64)
    ramp_x = np.exp(2j * np.pi * np.outer(shifts[:, 1], np.fft.rfftfreq(width))).astype(np.complex64)
    aligned = np.empty(samples.shape, np.complex64)
    _turn(samples, ramp_y, ramp_x, band.row, band.column, aligned)
    return aligned


def score(aligned: Array, band: Band, weights: Array) -> Array:
    """Gradient of the log likelihood of aligned samples with the shifts: float64 (frame, yx), 1/px.

    Parameters
    ----------
    aligned
        Of one patch: complex64 (frame, sample).
    weights
        Of pairs of frames, by ring: float32 (ring, frame, frame).
    """
    xp = array_module(aligned)
    reference = xp.empty_like(aligned)
    for ring, weight in zip(band.rings, weights, strict=True):
        part = xp.ascontiguousarray(aligned[:, ring]).view(xp.float32)
        reference[:, ring] = (xp.asarray(weight) @ part).view(xp.complex64)
    if xp is not np:
        pull = (aligned.conj() * reference).imag @ xp.asarray(band.frequency).T
        return 4 * np.pi * to_host(pull).astype(np.float64)
    gradient = np.empty((len(aligned), 2))
    _pull(aligned.view(np.float32), reference.view(np.float32), band.frequency, gradient)
    return 4 * np.pi * gradient


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
