"""What a monitor watches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from emlab.sets import Away, Batch, Event, Failure, IncrementalSet, Judgement, Retry, Run


class Watched(Protocol):
    """The part of a session that monitors read; the session itself lies in a layer above."""

    @property
    def state(self) -> str:
        """``created``, ``running``, ``paused``, ``stopped``, ``finished`` or ``crashed``."""

    @property
    def away(self) -> Sequence[Away]:
        """The disks and servers that items wait for."""

    @property
    def runs(self) -> Sequence[Run]:
        """Every run, in the order of the workflow."""

    @property
    def sets(self) -> Mapping[str, IncrementalSet]:
        """Every set by its name."""

    def batches(self, since: int = 0) -> Sequence[Batch]:
        """Which records went into each batch of a fold, batches numbered ``since`` and up."""

    def failures(self, since: int = 0) -> Sequence[Failure]:
        """Failures numbered ``since`` and up."""

    def retries(self, since: int = 0) -> Sequence[Retry]:
        """What was tried again because somebody asked for it, numbered ``since`` and up."""

    def events(self, since: int = 0) -> Sequence[Event]:
        """Events numbered ``since`` and up."""

    def judgements(self, since: int = 0) -> Sequence[Judgement]:
        """What people decided and noted, numbered ``since`` and up."""
