"""The connection to a Dask scheduler, kept in a thread of its own."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import distributed

from emlab.engine.executors.station import Offer, compute, prepare
from emlab.engine.task import Outcome, Task, Trouble
from emlab.errors import ProgramError
from emlab.version import __version__

OPEN_WITHIN = 30.0
"""Seconds that a scheduler has to answer when an engine starts."""
LOOK = 2.0
"""Seconds between looks at scheduler and workers, though the coming and going of each is told at once."""
AGAIN_AFTER = 30.0
"""Seconds after which a worker that could not be used is tried again."""
CANCELLED = (asyncio.CancelledError, concurrent.futures.CancelledError)


@dataclass(frozen=True)
class Came:
    """A worker that can be used."""

    address: str
    offer: Offer


@dataclass(frozen=True)
class Gone:
    """A worker that is no more."""

    address: str


@dataclass(frozen=True)
class Done:
    """A task that is not with a worker any more, one way or the other."""

    address: str
    on_gpu: bool
    outcome: Outcome


News = Came | Gone | Done | str
"""What a link tells; a text is a complaint."""


class Link:
    """Keeps in touch with a scheduler: who is there, what goes out, what comes back.

    Parameters
    ----------
    connect
        Makes an asynchronous client of the scheduler, wherever that now is.
    folders
        Absolute paths that a worker has to see to be of use.
    tell
        Called from the link's thread.
    """

    def __init__(
        self, connect: Callable[[], distributed.Client], folders: Sequence[str], tell: Callable[[News], None]
    ) -> None:
        self.address = "an address to be found"
        self._connect = connect
        self._folders = tuple(folders)
        self._tell = tell
        self._loop = asyncio.new_event_loop()
        self._opened: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._client: distributed.Client | None = None
        self._changed = asyncio.Event()
        self._with: dict[str, set[asyncio.Task[None]]] = {}
        self._greeted: dict[str, asyncio.Task[None]] = {}
        self._refused: dict[str, float] = {}
        self._running: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._run, name="dask", daemon=True)

    def open(self) -> None:
        """Connect for the first time.

        Raises
        ------
        ProgramError
            If no scheduler answers.
        """
        self._thread.start()
        try:
            self._opened.result(OPEN_WITHIN)
        except concurrent.futures.TimeoutError:
            raise ProgramError(f"No Dask scheduler answers within {OPEN_WITHIN:g} s.") from None
        finally:
            if not self._opened.done() or self._opened.exception() is not None:
                self.close()

    def send(self, task: Task, address: str, offer: Offer, *, on_gpu: bool, prefer: str) -> None:
        """Have a worker do a task."""
        self._loop.call_soon_threadsafe(self._begin, task, address, offer, on_gpu, prefer)

    def close(self) -> None:
        """Leave the cluster; what runs there is killed by its workers."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._end)
            self._thread.join(10)

    def _end(self) -> None:
        if self._running is not None:
            self._running.cancel()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner, suppress(asyncio.CancelledError):
            runner.run(self._keep())

    async def _keep(self) -> None:
        """Connect, and connect again when the scheduler was lost."""
        self._running = asyncio.current_task()
        lost = False
        while True:
            try:
                client = self._connect()
                try:
                    await client
                    self.address = client.scheduler.address
                    if lost:
                        self._tell(f"The Dask scheduler is back, at {self.address}.")
                    lost, reason = False, "it is gone"
                    await self._stay(client)
                finally:
                    await client.close()
            except Exception as error:  # noqa: BLE001 (however Dask says it, the scheduler has to be found again)
                reason = str(error) or type(error).__name__
            finally:
                self._forget()
            if not self._opened.done():
                self._opened.set_exception(ProgramError(f"No Dask scheduler answers: {reason}."))
                return
            if not lost:
                lost = True
                self._tell(f"The Dask scheduler at {self.address} was lost ({reason}); items wait until it is back.")
            await asyncio.sleep(LOOK)

    async def _stay(self, client: distributed.Client) -> None:
        self._client = client
        client.subscribe_topic("all", self._hear)
        if not self._opened.done():
            self._opened.set_result(None)
        try:
            await self._attend(client)
        finally:
            if client.status == "running":
                client.unsubscribe_topic("all")

    def _forget(self) -> None:
        """Take every worker for gone."""
        self._client = None
        for greeting in list(self._greeted.values()):
            greeting.cancel()
        for address in list(self._with):
            self._lose(address)

    async def _attend(self, client: distributed.Client) -> None:
        """Follow which workers there are, for as long as there is a scheduler."""
        while client.status == "running":
            self._changed.clear()
            workers = (await client.scheduler.identity(n_workers=-1))["workers"]
            for address in self._with.keys() - workers.keys():
                self._lose(address)
            for address in workers.keys() - self._with.keys() - self._greeted.keys():
                if self._refused.get(address, 0) < self._loop.time():
                    self._greeted[address] = self._loop.create_task(self._welcome(client, address))
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK):
                    await self._changed.wait()

    async def _welcome(self, client: distributed.Client, address: str) -> None:
        """Get a worker ready; a slow one keeps nobody else waiting."""
        try:
            found = await client.run(prepare, self._folders, __version__, workers=[address], on_error="return")
            offer = found[address]
        except (OSError, KeyError):
            return  # it went as it came
        finally:
            del self._greeted[address]
        if isinstance(offer, Offer):
            self._with[address] = set()
            self._tell(Came(address, offer))
            if offer.remark:
                self._tell(f"The Dask worker {address} on {offer.host}: {offer.remark}.")
            return
        if address not in self._refused:
            self._tell(f"The Dask worker {address} is not used: {offer}.")
        self._refused[address] = self._loop.time() + AGAIN_AFTER

    def _lose(self, address: str) -> None:
        for task in self._with.pop(address):
            task.cancel()
        self._tell(Gone(address))

    async def _hear(self, event: tuple[float, Any]) -> None:
        if isinstance(event[1], dict) and event[1].get("action") in {"add-worker", "remove-worker"}:
            self._changed.set()

    def _begin(self, task: Task, address: str, offer: Offer, on_gpu: bool, prefer: str) -> None:
        if address not in self._with:
            self._tell(Done(address, on_gpu, _lost(task, offer, "WorkerLost", f"The Dask worker {address} is gone.")))
            return
        doing = self._loop.create_task(self._do(task, address, offer, on_gpu, prefer))
        self._with[address].add(doing)
        doing.add_done_callback(lambda done: self._with.get(address, set()).discard(done))

    async def _do(self, task: Task, address: str, offer: Offer, on_gpu: bool, prefer: str) -> None:
        assert self._client is not None  # noqa: S101
        key = f"{task.run}-{task.key}-{uuid.uuid4().hex}"
        resource = "GPU" if on_gpu else "CPU"
        try:
            outcome = await self._client.submit(
                compute,
                task,
                key,
                accelerated=on_gpu,
                prefer=prefer,
                key=key,
                workers=[address],
                resources={resource: 1} if resource in offer.declared else None,
                pure=False,
            )
        except (*CANCELLED, distributed.KilledWorker):
            message = f"The Dask worker {address} on {offer.host} was lost while it had this item."
            outcome = _lost(task, offer, "WorkerLost", message)
        except Exception as error:  # noqa: BLE001 (Dask hands on whatever went wrong on the way to the item)
            outcome = _lost(task, offer, type(error).__name__, f"The Dask worker {address} on {offer.host}: {error}")
        self._tell(Done(address, on_gpu, outcome))


def _lost(task: Task, offer: Offer, error: str, message: str) -> Outcome:
    return Outcome(task, offer.host, "", 0.0, 0.0, 0.0, trouble=Trouble(error, message, "", retry=True, cause="outage"))
