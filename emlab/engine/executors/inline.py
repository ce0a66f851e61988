"""Tasks done in the engine's own process: for tests, and for one file in a shell."""

from __future__ import annotations

import os
import pickle

from emlab.engine.perform import perform
from emlab.engine.task import Outcome, Task
from emlab.engine.workbench import Pantry


class InlineExecutor:
    """Does each task when it is submitted.

    Each is pickled and unpickled first, which proves that it can travel.
    """

    def __init__(self) -> None:
        self._pantry = Pantry()
        self._outcomes: list[Outcome] = []
        self._bell = os.eventfd(0, os.EFD_NONBLOCK)

    def free(self, *, accelerated: bool) -> int:
        return int(not self._outcomes)

    def submit(self, task: Task, *, accelerated: bool, prefer: str | None = None) -> None:
        travelled: Task = pickle.loads(pickle.dumps(task))  # noqa: S301 (our own bytes)
        outcome = perform(travelled, "inline", "cpu", self._pantry)
        self._outcomes.append(pickle.loads(pickle.dumps(outcome)))  # noqa: S301
        os.eventfd_write(self._bell, 1)

    def waitables(self) -> list[int]:
        return [self._bell]

    def collect(self) -> list[Outcome]:
        outcomes, self._outcomes = self._outcomes, []
        if outcomes:
            os.eventfd_read(self._bell)
        return outcomes

    def complaints(self) -> list[str]:
        return []

    def describe(self) -> str:
        return "the engine's own process"

    def close(self) -> None:
        os.close(self._bell)
