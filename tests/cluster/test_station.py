"""What runs inside a Dask worker ends when it is told to, whatever happens at that moment."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from types import SimpleNamespace

import pytest

pytest.importorskip("distributed", reason="Dask is not installed (pip install 'emlab[cluster]')")

from emlab.engine.executors.station import Station
from emlab.engine.task import Outcome


@pytest.mark.parametrize("turns", range(6))
def test_it_ends_although_a_process_has_something_to_say_just_then(turns: int) -> None:
    """As when SLURM ends a job: its processes go in the same moment, within any few turns of the loop."""
    bell = os.eventfd(0, os.EFD_NONBLOCK)

    def collect() -> list[Outcome]:
        with suppress(BlockingIOError):
            os.eventfd_read(bell)
        return []

    async def ended() -> bool:
        station = object.__new__(Station)
        station._pool = SimpleNamespace(waitables=lambda: [bell], collect=collect)  # type: ignore[assignment]
        station._waiting = {}
        tending = asyncio.create_task(station._tend())
        await asyncio.sleep(0)  # it listens
        os.eventfd_write(bell, 1)
        for _ in range(turns):
            await asyncio.sleep(0)
        tending.cancel()
        await asyncio.wait([tending], timeout=5)
        return tending.cancelled()

    try:
        with ThreadPoolExecutor(1) as thread:  # where a browser's tests ran before, this one has a loop that runs
            assert thread.submit(asyncio.run, ended()).result()
    finally:
        os.close(bell)
