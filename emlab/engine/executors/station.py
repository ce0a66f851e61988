"""What runs inside a Dask worker: it lends its machine's worker processes to sessions."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import distributed

from emlab.engine import devices
from emlab.engine.executors.local import LocalExecutor
from emlab.engine.task import Outcome, Task
from emlab.errors import ProgramError
from emlab.version import __version__

LOOK = 1.0
"""Seconds between looks at what rings no bell: a process to be started again, a task that nobody wants any more."""
READY_WITHIN = 120.0
"""Seconds that a process has to become free for a task."""


@dataclass(frozen=True)
class Offer:
    """What a Dask worker can do for a session.

    Attributes
    ----------
    host
        Its machine.
    cpus, gpus
        Worker processes on its CPU, and on its GPUs.
    declared
        Which of ``CPU`` and ``GPU`` it was started with as Dask resources: those are asked for with each task, so
        that sessions that share it do not use one card at a time.
    remark
        A sentence on what it lacks, or nothing.
    """

    host: str
    cpus: int
    gpus: int
    declared: frozenset[str]
    remark: str = ""


class Station:
    """The worker processes of one Dask worker, for whichever session sends tasks.

    An item that crashes takes its own process with it and never the Dask worker, so what Dask can lose is a machine;
    and as nothing is computed in the Dask worker itself, it is never taken for dead because it is busy.
    """

    def __init__(self, cpus: int, gpus: int) -> None:
        self._pool = LocalExecutor(cpus, tuple(range(gpus)), per_gpu=1)
        # By the identity of the task: an engine that was started again may send an item whose last one still runs.
        self._waiting: dict[int, asyncio.Future[Outcome]] = {}
        self._tending = asyncio.create_task(self._tend())

    async def compute(self, task: Task, key: str, worker: Any, *, accelerated: bool, prefer: str | None) -> Outcome:
        """Do a task that Dask calls ``key``; its process is killed when its engine is gone."""
        patience = time.monotonic() + READY_WITHIN
        while not self._pool.free(accelerated=accelerated):
            if time.monotonic() > patience:
                why = " ".join(self._pool.complaints()) or "All were busy."
                raise ProgramError(f"No process of {worker.address} was free within {READY_WITHIN:g} s. {why}")
            await asyncio.sleep(0.05)
        self._pool.submit(task, accelerated=accelerated, prefer=prefer)
        outcome = self._waiting[id(task)] = asyncio.get_running_loop().create_future()
        try:
            while not (await asyncio.wait([outcome], timeout=LOOK))[0]:
                known = worker.state.tasks.get(key)
                if known is None or known.state != "executing":
                    raise ProgramError("The engine that sent the item has gone.")
            result: Outcome = outcome.result()
            return result
        finally:
            del self._waiting[id(task)]
            if not outcome.done():
                self._pool.abandon(task)

    async def _tend(self) -> None:
        """Look after the processes whenever one has something to say."""
        loop = asyncio.get_running_loop()
        while True:
            rung = asyncio.Event()
            lines = self._pool.waitables()
            for line in lines:
                loop.add_reader(line, rung.set)
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK):  # wait_for of Python 3.11 may forget that it was cancelled
                    await rung.wait()
            for line in lines:
                loop.remove_reader(line)
            for outcome in self._pool.collect():
                waiting = self._waiting.get(id(outcome.task))
                if waiting is not None and not waiting.done():
                    waiting.set_result(outcome)


async def compute(task: Task, key: str, *, accelerated: bool, prefer: str | None) -> Outcome:
    """Do a task in the Dask worker that this runs in."""
    worker = distributed.get_worker()
    return await _stations[worker.address].compute(task, key, worker, accelerated=accelerated, prefer=prefer)


async def prepare(folders: Sequence[str], version: str, dask_worker: Any) -> Offer:
    """Get a Dask worker ready for a session, and say what it has to offer.

    Parameters
    ----------
    folders
        What the session reads and writes, which has to be seen from there.
    version
        The engine's version of emlab.

    Raises
    ------
    ProgramError
        If it cannot be used.
    """
    if version != __version__:
        raise ProgramError(f"it has emlab {__version__}, but the engine has {version}; install the same version there")
    for folder in folders:
        if not await asyncio.to_thread(Path(folder).is_dir):
            raise ProgramError(f"{folder} cannot be seen from there; mount it at the same path")
    resources = dask_worker.state.total_resources
    gpus = int(resources.get("GPU", 0))
    trouble = await asyncio.to_thread(devices.cupy_trouble) if gpus else None
    if trouble:
        gpus = 0
    cpus = max(1, int(resources.get("CPU", dask_worker.state.nthreads - gpus)))
    offer = Offer(
        host=socket.gethostname(),
        cpus=cpus,
        gpus=gpus,
        declared=frozenset({"CPU", "GPU"} & set(resources)),
        remark=f"its GPU is not used: {trouble}" if trouble else "",
    )
    if dask_worker.address not in _stations:
        _stations[dask_worker.address] = Station(cpus, gpus)
    return offer


_stations: dict[str, Station] = {}
