"""Tasks done by the workers of a Dask cluster, on any number of machines."""

from __future__ import annotations

import os
import queue
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import distributed

from emlab.engine.executors.link import Came, Done, Gone, Link, News
from emlab.engine.executors.station import Offer
from emlab.engine.task import Outcome, Task


@dataclass
class _Place:
    """A Dask worker, and how much of it is busy with our tasks: on its GPUs, and on its CPUs."""

    address: str
    offer: Offer
    busy: dict[bool, int] = field(default_factory=lambda: {True: 0, False: 0})

    def room(self, on_gpu: bool) -> int:
        return max(0, (self.offer.gpus if on_gpu else self.offer.cpus) - self.busy[on_gpu])


class DaskExecutor:
    """Gives the workers of a Dask cluster no more than they can begin at once; the rest stays in the session.

    Workers may come late, or go at any moment: their tasks come back as trouble that can be retried. So they do when
    the scheduler goes, which is then looked for until it is there again.

    Parameters
    ----------
    connect
        Makes an asynchronous client of the scheduler, wherever that now is.
    folders
        Absolute paths that a worker has to see to be of use.
    afterwards
        Called when the executor is closed.

    Raises
    ------
    ProgramError
        If no scheduler answers.
    """

    def __init__(
        self,
        connect: Callable[[], distributed.Client],
        folders: Sequence[str] = (),
        afterwards: Callable[[], None] | None = None,
    ) -> None:
        self._afterwards = afterwards
        self._places: dict[str, _Place] = {}
        self._outcomes: list[Outcome] = []
        self._complaints: list[str] = []
        self._news: queue.SimpleQueue[News] = queue.SimpleQueue()
        self._bell = os.eventfd(0, os.EFD_NONBLOCK)
        self._link = Link(connect, folders, self._tell)
        self._link.open()

    def free(self, *, accelerated: bool) -> int:
        on_gpu = self._on_gpu(accelerated)
        return sum(place.room(on_gpu) for place in self._places.values())

    def submit(self, task: Task, *, accelerated: bool, prefer: str | None = None) -> None:
        on_gpu = self._on_gpu(accelerated)
        address, _, process = (prefer or "").rpartition("/")
        place = self._places.get(address)
        if place is None or not place.room(on_gpu):
            place = max(self._places.values(), key=lambda place: place.room(on_gpu))
        place.busy[on_gpu] += 1
        self._link.send(task, place.address, place.offer, on_gpu=on_gpu, prefer=process)

    def waitables(self) -> list[int]:
        return [self._bell]

    def collect(self) -> list[Outcome]:
        outcomes = []
        try:
            os.eventfd_read(self._bell)
        except BlockingIOError:
            return []
        while not self._news.empty():
            match self._news.get():
                case Came(address, offer):
                    self._places[address] = _Place(address, offer)
                case Gone(address):
                    self._places.pop(address, None)
                case Done(address, on_gpu, outcome):
                    if address in self._places:
                        self._places[address].busy[on_gpu] -= 1
                    # A clock that started with another machine tells nothing here.
                    started = time.monotonic() - outcome.seconds
                    outcomes.append(replace(outcome, worker=f"{address}/{outcome.worker}", started=started))
                case str(complaint):
                    self._complaints.append(complaint)
        return outcomes

    def complaints(self) -> list[str]:
        complaints, self._complaints = self._complaints, []
        return complaints

    def describe(self) -> str:
        return f"the Dask cluster at {self._link.address}"

    def close(self) -> None:
        self._link.close()
        if self._afterwards is not None:
            self._afterwards()
        os.close(self._bell)

    def _on_gpu(self, accelerated: bool) -> bool:
        return accelerated and any(place.offer.gpus for place in self._places.values())

    def _tell(self, news: News) -> None:
        self._news.put(news)
        os.eventfd_write(self._bell, 1)
