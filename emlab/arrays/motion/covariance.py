"""How alike the frames are at each spatial frequency: what a shift is estimated with, and how well it can be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from emlab.arrays.module import array_module, to_host
from emlab.arrays.motion.band import Band

Array = NDArray[Any]

_MEMORIES: Final = (0.3, 0.5, 0.65, 0.75, 0.83, 0.9)
_LEAST_NOISE: Final = 0.05


@dataclass(frozen=True)
class Covariance:
    """A Gaussian model of aligned frames.

    Attributes
    ----------
    weights
        Of pairs of frames, by ring: float32 (ring, frame, frame). The log likelihood of samples Y is
        Σ Yᴴ·weights·Y and what does not depend on the shifts.
    information
        About the shifts of the frames, per axis: float64 (frame, frame), 1/px². The rows sum to 0, since a shift of
        all frames together changes nothing.
    strength
        Signal power of each patch over the mean: float64 (patch,).
    """

    weights: Array
    information: Array
    strength: Array


def model_covariance(second_moments: Array, band: Band, independence: float) -> Covariance:
    """The model that fits aligned samples.

    Parameters
    ----------
    second_moments
        Real part of Y·Yᴴ per sample: float32 (patch, ring, frame, frame).
    band
        The rings.
    independence
        Independent samples per sample.

    Notes
    -----
    Within a ring the covariance of two frames is that of what stays (the particles) plus that of what the beam shakes
    up (the ice), which falls by a constant factor from frame to frame; both are fitted to the mean over all pairs
    of the same distance in time.
    """
    patches, _, frames, _ = second_moments.shape
    mean = second_moments.mean(axis=0, dtype=np.float64)
    counts = np.diff(band.edges)
    lagged = np.stack([np.diagonal(mean, lag, 1, 2).mean(axis=1) for lag in range(frames)], axis=1)
    stays, shaken, memory = _fitted(lagged, counts)
    distance, eye = np.abs(np.subtract.outer(np.arange(frames), np.arange(frames))), np.eye(frames)
    signal = stays[:, None, None] + shaken[:, None, None] * memory**distance
    noise = np.maximum(lagged[:, 0] - signal[:, 0, 0], np.maximum(_LEAST_NOISE * lagged[:, 0], 1e-12))[:, None, None]
    weights = eye / noise - np.linalg.inv(signal + noise * eye)
    squares = np.add.reduceat((band.frequency.astype(np.float64) ** 2).mean(axis=0), band.edges[:-1])
    information = 8 * np.pi**2 * np.tensordot(squares, weights * signal, 1)
    information = np.diag(information.sum(axis=1)) - information
    # Of pairs of different frames only: what a frame has in common with itself tells nothing.
    paired = (weights * (1.0 - eye) * counts[:, None, None]).ravel()
    expected, found = signal.ravel() @ paired, second_moments.reshape(patches, -1) @ paired.astype(np.float32)
    strength = np.clip(found / max(float(expected), 1e-12), 0.2, 5.0)
    return Covariance(weights.astype(np.float32), information * independence, strength)


def second_moments(aligned: Array, band: Band) -> Array:
    """Real part of Y·Yᴴ per sample, of one patch or several: float32 (…, ring, frame, frame)."""
    xp = array_module(aligned)
    parts = aligned.view(xp.float32)
    moments = []
    for ring in band.rings:
        part = parts[..., 2 * ring.start : 2 * ring.stop]
        moments.append(part @ part.swapaxes(-1, -2) / (ring.stop - ring.start))
    return to_host(xp.stack(moments, axis=-3))


def _fitted(lagged: Array, counts: Array) -> tuple[Array, Array, float]:
    """Power that stays and power that is shaken up, by ring, and how much of this a frame shares with the next."""
    frames = lagged.shape[1]
    distance = np.arange(1, frames)
    pairs = np.sqrt(frames - distance)
    candidates = []
    for memory in _MEMORIES:
        powers, squares = _two_powers(np.stack([pairs, pairs * memory**distance]), lagged[:, 1:] * pairs)
        misfit = squares / np.maximum(lagged[:, 0], 1e-12) ** 2
        candidates.append((float(counts @ misfit), memory, powers))
    _, memory, powers = min(candidates, key=lambda candidate: candidate[0])
    padded = np.pad(powers, ((1, 1), (0, 0)), mode="edge")
    smooth = 0.25 * padded[:-2] + 0.5 * padded[1:-1] + 0.25 * padded[2:]
    return smooth[:, 0], smooth[:, 1], memory


def _two_powers(curves: Array, wanted: Array) -> tuple[Array, Array]:
    """Least squares with two curves (2, point), neither of them negative, and what is left: (row, 2) and (row,).

    Of (row, point). Where the best of both is not allowed the better one alone is the best that is.
    """
    products, gains = curves @ curves.T, wanted @ curves.T
    alone = np.maximum(gains / np.diag(products), 0.0)
    tried = [alone * [1.0, 0.0], alone * [0.0, 1.0]]
    if np.linalg.det(products) > 1e-9 * products[0, 0] * products[1, 1]:
        both = np.linalg.solve(products, gains.T).T
        tried.append(np.where((both >= 0).all(axis=1, keepdims=True), both, tried[0]))
    left = np.stack([((wanted - powers @ curves) ** 2).sum(axis=1) for powers in tried])
    rows, best = np.arange(len(wanted)), left.argmin(axis=0)
    return np.stack(tried)[best, rows], left[best, rows]
