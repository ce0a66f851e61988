"""How busy this machine is."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil


@dataclass(frozen=True)
class GpuLoad:
    """How busy a graphics card is: name, use (%), memory used (%), temperature (°C)."""

    name: str
    use: float
    memory: float
    temperature: float


@dataclass(frozen=True)
class Load:
    """How busy this machine is.

    Attributes
    ----------
    at
        Seconds since 1970-01-01 UTC.
    cpu, memory
        %, of all cores and of what is there.
    memory_used, memory_size, disk_free, disk_size
        Bytes; of the disk that the session is on.
    read, written, received, sent
        Bytes per second since the last look, of all disks and network interfaces.
    gpus
        Every card; empty where there is none.
    """

    at: float
    cpu: float
    memory: float
    memory_used: int
    memory_size: int
    disk_free: int
    disk_size: int
    read: float
    written: float
    received: float
    sent: float
    gpus: tuple[GpuLoad, ...]


class System:
    """Looks at this machine now and then."""

    def __init__(self, path: Path, now: Callable[[], float] = time.time) -> None:
        self._path = path
        self._now = now
        self._cards = _Cards()
        self._before = (now(), *_transfers())
        self._processors = _processors()

    def look(self) -> Load:
        """Give the load now; rates are since the last look."""
        at, transfers = self._now(), _transfers()
        elapsed = max(at - self._before[0], 1e-3)
        rates = [(now - before) / elapsed for now, before in zip(transfers, self._before[1:], strict=True)]
        self._before = (at, *transfers)
        # psutil's own percentage is the calling thread's since it last asked, and looks come from several threads.
        (busy, passed), before = _processors(), self._processors
        self._processors = busy, passed
        memory, disk = psutil.virtual_memory(), psutil.disk_usage(str(self._path))
        return Load(
            at=at,
            cpu=min(max(100.0 * (busy - before[0]) / max(passed - before[1], 1e-3), 0.0), 100.0),
            memory=memory.percent,
            memory_used=memory.total - memory.available,
            memory_size=memory.total,
            disk_free=disk.free,
            disk_size=disk.total,
            read=rates[0],
            written=rates[1],
            received=rates[2],
            sent=rates[3],
            gpus=self._cards.look(),
        )


def _processors() -> tuple[float, float]:
    """Seconds that processors were busy since the machine's start, and all of their seconds."""
    times = psutil.cpu_times()
    # What guests took is in `user` and `nice` already.
    passed = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
    return passed - times.idle - getattr(times, "iowait", 0.0), passed


def _transfers() -> tuple[int, int, int, int]:
    """Bytes read, written, received and sent since the machine's start; the loopback interface does not count."""
    disks = psutil.disk_io_counters()
    networks = [counters for name, counters in psutil.net_io_counters(pernic=True).items() if name != "lo"]
    return (
        disks.read_bytes if disks else 0,
        disks.write_bytes if disks else 0,
        sum(counters.bytes_recv for counters in networks),
        sum(counters.bytes_sent for counters in networks),
    )


class _Cards:
    """NVIDIA's cards, where there is a driver and nvidia-ml-py to ask it."""

    def __init__(self) -> None:
        self._library: Any = None
        self._handles: list[Any] = []
        try:
            import pynvml
        except ImportError:
            return
        with suppress(pynvml.NVMLError):
            pynvml.nvmlInit()
            self._handles = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
            self._library = pynvml

    def look(self) -> tuple[GpuLoad, ...]:
        nvml = self._library
        loads = []
        for handle in self._handles:
            # A card can be lost, or may not tell.
            with suppress(nvml.NVMLError):
                memory = nvml.nvmlDeviceGetMemoryInfo(handle)
                loads.append(
                    GpuLoad(
                        name=nvml.nvmlDeviceGetName(handle),
                        use=float(nvml.nvmlDeviceGetUtilizationRates(handle).gpu),
                        memory=100.0 * memory.used / memory.total,
                        temperature=float(nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU)),
                    )
                )
        return tuple(loads)
