"""What one movie costs, measured in a process of its own that has compiled already."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.motion.movies import Case
from benchmarks.yardstick import yardstick
from emlab.arrays.compiled import compile_kernels


def speed(case: Case, folder: Path, out: Path) -> dict[str, Any]:
    """CPU-seconds, wall, peak memory and decoding of a case, and the accuracy of its shifts."""
    movie = case.movie(folder)
    compile_kernels()
    told = json.dumps([str(movie), str(out), case.values(folder)])
    before = yardstick(10)
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.motion.child", told], stdout=subprocess.PIPE, text=True, check=True
    )
    after = yardstick(10)
    figures: dict[str, Any] = json.loads(done.stdout)
    record = figures.pop("record")
    truth = case.truth(folder)
    scale = case.options.get("binning", 1)
    found = scale * np.stack([record["shift_y"], record["shift_x"]], axis=1)
    errors = found - np.stack([truth.shift_y, truth.shift_x], axis=1)
    rms = np.sqrt(((errors - errors.mean(axis=0)) ** 2).mean(axis=0))
    yard = 0.5 * (before + after)
    return {
        **figures,
        "yardsticks": figures["cpu_seconds"] / yard,
        "decoding_yardsticks": figures["decoding_cpu_seconds"] / yard,
        "yardstick_cpu_seconds": yard,
        "whole_frame_px": float(rms.max()),
    }
