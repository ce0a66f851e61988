"""Compiling what is compiled when it is first called, before a person's first movie has to wait for it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from emlab.engine.apply import application
from emlab.formats.mrc import write_mrc_movie

FRAMES, SIZE = 6, 192


def warm_up() -> None:
    """Process a tiny movie of nothing: compiled code is kept on disk, and found there by later processes."""
    frames = np.random.default_rng(0).poisson(2.0, (FRAMES, SIZE, SIZE)).astype(np.uint8)
    optics = {"voltage": 300.0, "pixel_size": 1.5}
    with tempfile.TemporaryDirectory(prefix="emlab-") as folder:
        movie = Path(folder) / "movie.mrcs"
        write_mrc_movie(movie, frames, optics["pixel_size"])
        for aligned in application("align_movie").run([movie], Path(folder), {**optics, "dose_per_frame": 1.0}):
            list(application("estimate_ctf").run([Path(aligned["path"])], Path(folder), optics))


if __name__ == "__main__":
    warm_up()
