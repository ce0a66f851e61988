"""How far estimated motion is from the truth."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.motion.movies import accuracy_movies
from emlab.arrays.motion import MotionField, clean_frames, estimate_motion
from emlab.simulation import Truth

Array = NDArray[Any]

FAINT = 2
"""Number of the movie with the drift."""


def whole_frame_error(field: MotionField, truth: Truth) -> float:
    """RMS over the frames of the worse axis, px, when a constant does not matter."""
    errors = field.whole - np.stack([truth.shift_y, truth.shift_x], axis=1)
    return float(np.sqrt(((errors - errors.mean(axis=0)) ** 2).mean(axis=0)).max())


def field_error(field: MotionField, truth: Truth) -> float:
    """RMS over field and frames of the length of the error, px; what does not change in time blurs nothing."""
    true = np.stack([truth.local_y, truth.local_x], axis=1)
    local = np.stack([field.local(n, truth.grid_y, truth.grid_x) for n in range(len(true))])
    errors = field.whole[:, :, None, None] + local - true
    errors -= errors.mean(axis=0)
    return float(np.sqrt((errors**2).sum(axis=1).mean()))


def faint(folder: Path) -> dict[str, Any]:
    """The movie of the 60 px drift with 3 % of its dose: how far off it is, and what it says about that."""
    *_, movie = accuracy_movies(folder, FAINT + 1)
    frames = np.random.default_rng(1).binomial(movie.frames, 0.03).astype(np.uint8)
    found = estimate_motion(clean_frames(frames, movie.gain_reference), movie.truth.conditions.pixel_size)
    return {
        "faint_whole_frame_px": whole_frame_error(found.field, movie.truth),
        "faint_said_px": found.uncertainty,
        "faint_halves_apart_px": found.disagreement,
    }


def accuracy(folder: Path, count: int) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Figures of each of ``count`` movies, and of all."""
    rows = []
    for number, movie in enumerate(accuracy_movies(folder, count)):
        conditions = movie.truth.conditions
        started = time.process_time()
        frames = clean_frames(movie.frames, movie.gain_reference)
        found = estimate_motion(frames, conditions.pixel_size)
        seconds = time.process_time() - started
        whole = estimate_motion(frames, conditions.pixel_size, local=False)
        rows.append(
            {
                "movie": number,
                "flaw": conditions.flaw or "",
                "path_px": float(np.hypot(movie.truth.shift_y, movie.truth.shift_x).max()),
                "whole_px": whole_frame_error(found.field, movie.truth),
                "field_px": field_error(found.field, movie.truth),
                "field_as_whole_px": field_error(whole.field, movie.truth),
                "said_px": found.uncertainty,
                "residual_px": found.residual,
                "cpu_seconds": seconds,
            }
        )
    whole, field, plain = (
        np.array([row[name] for row in rows]) for name in ("whole_px", "field_px", "field_as_whole_px")
    )
    return rows, {
        "movies": len(rows),
        "whole_frame_px_median": float(np.median(whole)),
        "whole_frame_px_worst": float(whole.max()),
        "field_px_median": float(np.median(field)),
        "field_px_worst": float(field.max()),
        "field_worse_than_whole_px": float((field - plain).max()),
    }
