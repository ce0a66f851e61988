"""A session of LZW movies through the whole pipeline, motion correction and CTF on one card: seconds a movie."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

import emlab
from benchmarks.gpu.movies import Case, gain_of
from emlab.engine.executors import LocalExecutor
from emlab.engine.runner import Engine
from emlab.formats.movie import open_movie
from emlab.formats.tiff import write_tiff_movie


def pipeline_figures(case: Case, movies: int) -> dict[str, Any]:
    """Seconds a movie once the first ones are done, and what decoding one takes one core."""
    import cupy

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "movies").mkdir()
        first = root / "movies" / "movie_000.tiff"
        write_tiff_movie(first, (frame.get() for frame in case.made(cupy)), case.pixel_size)
        write_tiff_movie(root / "gain.tif", [gain_of(case)], None)
        for number in range(1, movies):
            os.link(first, first.with_name(f"movie_{number:03d}.tiff"))
        # The processes of the session need the memory.
        cupy.get_default_memory_pool().free_all_blocks()
        started = time.process_time()
        for _ in open_movie(first):
            pass
        decoding = time.process_time() - started
        session = emlab.create_session(
            root / "session",
            movies=root / "movies",
            gain_reference=root / "gain.tif",
            expected_count=movies,
            voltage=300.0,
            pixel_size=case.pixel_size,
            dose_per_frame=1.2,
            **{"import.settle_time": 0},
        )
        Engine(session.path, lambda: LocalExecutor(1, (0,))).run()
        aligned, fitted = (
            session[name].to_dataframe(columns=["recorded_at", "seconds", "device"]) for name in ("micrographs", "ctfs")
        )
        # Compiling, and reading the first two, is not what a session's pace is made of.
        done = np.sort(fitted["recorded_at"].to_numpy())
        return {
            "pipeline_movies": movies,
            "pipeline_failed": len(session.failures()),
            "pipeline_seconds_per_movie": float((done[-1] - done[1]) / (len(done) - 2)),
            "pipeline_align_seconds": float(aligned["seconds"].median()),
            "pipeline_ctf_seconds": float(fitted["seconds"].median()),
            "pipeline_on_card": bool((aligned["device"] == "gpu:0").all() and (fitted["device"] == "gpu:0").all()),
            "decoding_cpu_seconds": decoding,
        }
