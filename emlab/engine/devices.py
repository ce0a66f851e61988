"""What this machine computes with."""

from __future__ import annotations

import os

import psutil

MEMORY_PER_WORKER = 3 * 2**30
"""Bytes that a worker may need for a large movie."""


def cpu_workers() -> int:
    """How many worker processes fit: one per core that this process may use, and per 3 GiB of memory."""
    cores = len(os.sched_getaffinity(0))
    return max(1, min(cores, int(psutil.virtual_memory().total // MEMORY_PER_WORKER)))


def gpu_indices() -> tuple[int, ...]:
    """Indices of the CUDA devices that CuPy can use; empty without any."""
    try:
        import cupy

        return tuple(range(cupy.cuda.runtime.getDeviceCount()))
    except Exception:  # noqa: BLE001 (no CuPy, no driver, no card: each has exceptions of its own)
        return ()
