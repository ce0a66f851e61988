"""What this machine computes with."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final

import psutil

from emlab.engine.cgroup import cpu_quota, memory_limit
from emlab.errors import ProgramError

MEMORY_PER_WORKER = 3 * 2**30
"""Bytes that a worker may need for a large movie."""

_TRIAL: Final = 28.0**2 * 140.0
"""Sum of the square of the table of products from 0 to 7."""


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


def use_card(index: int) -> None:
    """Have this process compute on the card that CuPy calls ``index``.

    Raises
    ------
    ProgramError
        If there is none, or CuPy cannot use it.
    """
    if trouble := cupy_trouble():
        raise ProgramError(f"No GPU can be used: {trouble}. `emlab doctor` says what is missing.")
    if not 0 <= index < _device_count():
        raise ProgramError(f"There is no GPU {index}; CuPy finds GPUs 0 to {_device_count() - 1}.")
    import cupy

    cupy.cuda.Device(index).use()


def trial_trouble() -> str | None:
    """Why the first card cannot do what emlab needs, found by trying; ``None`` if it can.

    A card that is there may lack CUDA's libraries: its compiler, its transforms, its linear algebra.
    """
    import cupy

    kernel = cupy.RawKernel('extern "C" __global__ void fill(float *to) { to[threadIdx.x] = threadIdx.x; }', "fill")
    try:
        numbers = cupy.empty(8, "float32")
        kernel((1,), (8,), (numbers,))
        square = cupy.outer(numbers, numbers)
        total = float(cupy.fft.irfft2(cupy.fft.rfft2(square @ square), s=square.shape).sum())
    except (ImportError, OSError, RuntimeError, MemoryError, cupy.cuda.compiler.CompileException) as error:
        return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
    return None if abs(total - _TRIAL) < 1.0 else f"it computed {total:g} instead of {_TRIAL:g}"


def _device_count() -> int:
    import cupy

    return int(cupy.cuda.runtime.getDeviceCount())
