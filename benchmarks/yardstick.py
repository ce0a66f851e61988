"""What figures from different machines are compared by: 40 real transforms of 4096² float32, ducc0, one thread."""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np

from emlab.arrays.fft import rfft2

SIDE = 4096
TRANSFORMS = 40


def yardstick(transforms: int = TRANSFORMS) -> float:
    """CPU-seconds of 40 transforms.

    Parameters
    ----------
    transforms
        How many are measured; the result is that of 40 all the same.
    """
    image = np.random.default_rng(0).random((SIDE, SIDE), dtype=np.float32)
    out = np.empty((SIDE, SIDE // 2 + 1), np.complex64)
    # The first one plans, and has the pages of the result made.
    rfft2(image, out=out)
    started = time.process_time()
    for _ in range(transforms):
        rfft2(image, out=out)
    return (time.process_time() - started) * TRANSFORMS / transforms


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Nothing can be chosen."""


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure the yardstick itself."""
    seconds = yardstick(10 if arguments.quick else TRANSFORMS)
    return {"yardstick_cpu_seconds": seconds, "transform_cpu_ms": 1e3 * seconds / TRANSFORMS}
