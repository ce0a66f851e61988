"""One card: what motion correction and CTFs cost on it, whether it gives the CPU's numbers, and whole sessions."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.gpu.ctf import ctf_figures
from benchmarks.gpu.motion import equivalence, motion_figures
from benchmarks.gpu.movies import Case
from benchmarks.gpu.pipeline import pipeline_figures
from emlab.engine import devices

NO_CARD = 2
"""The exit code where there is nothing to measure on."""

LARGE = Case("4096x40", (4096, 4096), 40, 0.85)
FULL = [
    LARGE,
    Case("4092x5760x50", (4092, 5760), 50, 0.83),
    Case("8192x40_eer", (8192, 8192), 40, 0.47),
    Case("4096x40_binned", (4096, 4096), 40, 0.85, binning=2.0),
]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be chosen."""
    parser.add_argument("--movies", type=int, default=24, help="of the session through the whole pipeline")
    parser.add_argument("--only", choices=("motion", "equivalence", "ctf", "pipeline"))


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure, and say what is on the way."""
    if trouble := devices.cupy_trouble():
        print(f"There is no card to measure on: {trouble}.", file=sys.stderr)
        print(json.dumps({"device": None, "trouble": trouble}))
        raise SystemExit(NO_CARD)
    import cupy

    name = cupy.cuda.runtime.getDeviceProperties(0)["name"].decode()
    figures: dict[str, Any] = {"device": name, "cores": devices.cpu_cores(), "cupy": cupy.__version__}
    small = Case("1024x24", (1024, 1024), 24, 1.5)
    parts: dict[str, list[Callable[[], dict[str, Any]]]] = {
        "motion": [lambda case=case: motion_figures(case) for case in ([LARGE] if arguments.quick else FULL)],
        "equivalence": [lambda: equivalence(small if arguments.quick else LARGE)],
        "ctf": [lambda: ctf_figures(2048 if arguments.quick else 4096)],
        "pipeline": [lambda: pipeline_figures(LARGE, 6 if arguments.quick else arguments.movies)],
    }
    for part, measures in parts.items():
        for measure in measures if arguments.only in (None, part) else []:
            with threadpool_limits(1):  # as a session's workers have it
                found = measure()
            for key, value in found.items():
                print(
                    f"{key:44} {value:>14.5g}" if isinstance(value, float) else f"{key:44} {value!s:>14}",
                    file=sys.stderr,
                )
            figures |= found
            cupy.get_default_memory_pool().free_all_blocks()
    return {key: value.item() if isinstance(value, np.generic) else value for key, value in figures.items()}
