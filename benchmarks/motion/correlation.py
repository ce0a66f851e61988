"""How well the corrected sum agrees with one whose frames are moved back by the true motion, exactly."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import ducc0
import numpy as np
from numpy.typing import NDArray

from benchmarks.motion.accuracy import field_error
from benchmarks.motion.movies import accuracy_conditions, accuracy_movies
from emlab.arrays.ctf import (
    Lens,
    SearchRange,
    equiphase_profile,
    estimate,
    fit_resolution,
    flatten,
    rings_between,
    score,
    tile_length,
    tile_spectrum,
)
from emlab.arrays.motion import CleanFrames, MotionField, clean_frames, estimate_motion, sum_frames
from emlab.arrays.motion.field import POWERS, terms_at
from emlab.arrays.motion.repair import plan_repair
from emlab.simulation import Conditions, SimulatedMovie, Truth, simulate_expected
from emlab.simulation.exposure import Exposure

Array = NDArray[Any]

MARGIN: Final = 48
"""px left out along each edge, where either sum needs what the camera did not see."""


CASES: Final = (0, 5, 8)
"""An ordinary movie, one with a jump, one with an empty field of 7 px drift."""


def agreement(folder: Path, count: int) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Ring correlations of ``count`` movies without noise, CTF scores of the same with it, and the worst of all."""
    rows = []
    movies = dict(enumerate(accuracy_movies(folder, CASES[count - 1] + 1)))
    for number in CASES[:count]:
        conditions = accuracy_conditions()[number]
        frames, truth = simulate_expected(conditions)
        clean = without_noise(frames)
        motion = estimate_motion(clean, conditions.pixel_size)
        image = sum_frames(clean, motion.field, conditions.pixel_size).image
        correlation, _ = ring_correlation(image, exact_sum(frames, conditions))
        rows.append(
            {
                "movie": number,
                "field_px": field_error(motion.field, truth),
                **{
                    f"frc_at_{frequency / 50:g}_nyquist": float(correlation[frequency])
                    for frequency in (15, 30, 40, 45)
                },
                "frc_least": float(correlation[3:46].min()),
                **_scores(movies[number]),
            }
        )
    return rows, {
        "frc_least_to_0.9_nyquist": min(row["frc_least"] for row in rows),
        "ctf_score_lost": max(row["exact_score"] - row["score"] for row in rows),
        "ctf_score_lost_by_summing": max(row["exact_score"] - row["given_score"] for row in rows),
    }


def _scores(movie: SimulatedMovie) -> dict[str, float]:
    """The CTF's score and resolution (Å): of the corrected sum, of ours by the true motion, and of the exact one.

    Of the inner part: each fills in what the camera did not see in its own way.
    """
    conditions = movie.truth.conditions
    frames = clean_frames(movie.frames, movie.gain_reference)
    motion = estimate_motion(frames, conditions.pixel_size)
    sums = {
        "": sum_frames(frames, motion.field, conditions.pixel_size).image,
        "given_": sum_frames(frames, true_field(movie.truth), conditions.pixel_size).image,
        "exact_": exact_sum(frames, conditions).astype(np.float32),
    }
    lens = Lens.of_microscope(
        conditions.optics.voltage, conditions.optics.spherical_aberration, conditions.optics.amplitude_contrast
    )
    scores = {}
    for name, whole in sums.items():
        image = np.ascontiguousarray(whole[MARGIN:-MARGIN, MARGIN:-MARGIN])
        spectrum = tile_spectrum(image, tile_length(image.shape, conditions.pixel_size, 1024.0))
        rings = rings_between(spectrum.shape[0], conditions.pixel_size, 1 / 30.0, 0.475 / conditions.pixel_size)
        data = flatten(spectrum, rings)
        fit = estimate(data, lens, SearchRange(3000.0, 50_000.0, 1500.0))
        resolution = fit_resolution(equiphase_profile(data, lens, fit), fit)
        scores |= {f"{name}score": score(data, lens, fit), f"{name}resolution": resolution}
    return scores


def true_field(truth: Truth) -> MotionField:
    """The true motion in the terms that ours is made of: within 0.015 px RMS of it."""
    shape = truth.conditions.size
    y, x = np.meshgrid(truth.grid_y, truth.grid_x, indexing="ij")
    places = 2 * (np.stack([y.ravel(), x.ravel()], axis=1) + 0.5) / np.array(shape) - 1
    moved = np.stack([truth.local_y, truth.local_x]).reshape(2, len(truth.shift_y), -1)
    terms = terms_at(places, len(POWERS))
    return MotionField(np.stack([np.linalg.lstsq(terms, axis.T, rcond=None)[0] for axis in moved]), shape)


def without_noise(frames: Array) -> CleanFrames:
    """Frames of which no pixel is replaced."""
    return CleanFrames(list(frames), None, plan_repair(np.zeros(frames[0].shape, bool)), float(frames.mean()), 0)


def exact_sum(frames: Iterable[Array], conditions: Conditions) -> Array:
    """Sum of frames moved back by the true motion: float64 (y, x).

    A frame's Fourier series is evaluated where the specimen went (Barnett et al., 10.1137/18M120885X): interpolation
    without a kernel's error.
    """
    trajectory = Exposure(conditions).trajectory
    height, width = conditions.size
    places = np.stack(np.meshgrid(np.arange(height), np.arange(width), indexing="ij")).astype(np.float64)
    total = np.zeros((height, width))
    for number, frame in enumerate(frames):
        seen = places + trajectory.displacement(number, *places)
        points = (2 * np.pi * seen / np.array([height, width]).reshape(2, 1, 1)).reshape(2, -1).T
        series = np.fft.fft2(frame.astype(np.float64) - frame.mean()) / frame.size
        values = ducc0.nufft.u2nu(grid=series, coord=points, forward=False, epsilon=1e-6, nthreads=1, fft_order=True)
        total += values.real.reshape(height, width)
    return total


def ring_correlation(one: Array, other: Array) -> tuple[Array, Array]:
    """Fourier ring correlation of the inner parts of two images, and the rings' frequencies, cycles/px."""
    inner = np.s_[MARGIN:-MARGIN, MARGIN:-MARGIN]
    window = np.outer(*(np.hanning(size - 2 * MARGIN) for size in one.shape))
    first, second = (np.fft.rfft2((image[inner] - image[inner].mean()) * window) for image in (one, other))
    along_y, along_x = np.fft.fftfreq(window.shape[0])[:, None], np.fft.rfftfreq(window.shape[1])
    ring = np.round(np.hypot(along_y, along_x) * 100).astype(int).ravel()

    def summed(values: Array) -> Array:
        return np.bincount(ring, values.ravel())

    cross = summed((first * second.conj()).real)
    correlation = cross / np.sqrt(summed(np.abs(first) ** 2) * summed(np.abs(second) ** 2))
    return correlation[:51], np.arange(51) / 100
