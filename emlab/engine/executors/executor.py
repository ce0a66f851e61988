"""What the engine asks of whatever computes."""

from __future__ import annotations

from typing import Protocol

from emlab.engine.task import Outcome, Task


class Executor(Protocol):
    """Computes tasks somewhere; the engine gives it no more than it has room for."""

    def free(self, *, accelerated: bool) -> int:
        """How many more tasks it takes at once: of those that gain from a GPU, or of the others."""

    def submit(self, task: Task, *, accelerated: bool, prefer: str | None = None) -> None:
        """Start a task, on the worker ``prefer`` if that one is free."""

    def waitables(self) -> list[int]:
        """File descriptors that become readable when `collect` has something."""

    def collect(self) -> list[Outcome]:
        """What was finished since the last call; never blocks."""

    def complaints(self) -> list[str]:
        """Sentences on what went wrong with itself since the last call."""

    def describe(self) -> str:
        """Say in a few words what it computes on."""

    def close(self) -> None:
        """End at once, whatever is running."""
