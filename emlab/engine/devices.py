"""What this machine computes with."""

from __future__ import annotations

import os
from dataclasses import dataclass

import psutil

from emlab.engine.cgroup import cpu_quota, memory_limit

MEMORY_PER_WORKER = 3 * 2**30
"""Bytes that a worker may need for a large movie."""


@dataclass(frozen=True)
class Gpu:
    """A graphics card.

    Attributes
    ----------
    name, driver
        The card's model, and the version of the driver.
    memory
        Bytes.
    """

    name: str
    memory: int
    driver: str


def cpu_cores() -> int:
    """How many cores this process may use, at least 1."""
    quota = cpu_quota()
    cores = len(os.sched_getaffinity(0))
    return cores if quota is None else max(1, min(cores, int(quota)))


def memory() -> int:
    """How many bytes of memory this process may use."""
    total = int(psutil.virtual_memory().total)
    return min(total, memory_limit() or total)


def cpu_workers() -> int:
    """How many worker processes fit: one per core that this process may use, and per 3 GiB of memory."""
    return max(1, min(cpu_cores(), memory() // MEMORY_PER_WORKER))


def gpus() -> list[Gpu]:
    """The NVIDIA cards that the driver knows, whether or not CuPy can use them.

    Raises
    ------
    ImportError
        If nvidia-ml-py is not installed, so that nobody can tell.
    """
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return []
    try:
        driver = pynvml.nvmlSystemGetDriverVersion()
        cards = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
        return [
            Gpu(pynvml.nvmlDeviceGetName(card), pynvml.nvmlDeviceGetMemoryInfo(card).total, driver) for card in cards
        ]
    finally:
        pynvml.nvmlShutdown()


def gpu_indices() -> tuple[int, ...]:
    """Indices of the CUDA devices that CuPy can use; empty without any."""
    return () if cupy_trouble() else tuple(range(_device_count()))


def visible_device(index: int) -> str:
    """What the driver calls the card that CuPy calls ``index`` here, where SLURM, say, lets only some be seen."""
    visible = [name for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name]
    return visible[index] if index < len(visible) else str(index)


def cupy_trouble() -> str | None:
    """Why CuPy cannot compute here; ``None`` if it can."""
    try:
        return None if _device_count() else "CuPy finds no CUDA device"
    except ImportError as error:
        return str(error).strip().partition("\n")[0]
    except RuntimeError as error:
        return str(error)


def _device_count() -> int:
    import cupy

    return int(cupy.cuda.runtime.getDeviceCount())
