"""Records on their way into the batches of a fold."""

from __future__ import annotations

from collections import deque

from emlab.engine.pipeline import Stage
from emlab.model import Record
from emlab.sets import Batch

ENOUGH = 1.0 - 1e-9
"""Shares that make a batch: ten tenths do, whatever their sum in floating point."""

_Members = list[tuple[int | None, Record]]


class Gathering:
    """What a fold was offered and has not begun yet, in the order of the set that it comes from.

    What a batch is made of depends on that order alone, never on when its records came; but for the last one, and for
    what a person restored.

    Attributes
    ----------
    begun
        How many batches were begun so far.
    stop
        The number after the last that went into one of them.
    before
        What was made of the newest batch that did not fail.
    """

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.begun = self.stop = 0
        self.before: Record | None = None
        self._again: deque[tuple[Batch, tuple[Record, ...]]] = deque()
        self._whole: deque[_Members] = deque()
        self._growing: _Members = []
        self._share = 0.0
        self._waiting = 0

    def __len__(self) -> int:
        """How many records wait for their batch."""
        return self._waiting

    def add(self, number: int | None, record: Record) -> None:
        """Take note of a record with its number in the set that it comes from; ``None`` for one that is restored."""
        assert self.stage.protocol.share is not None  # noqa: S101
        self._growing.append((number, record))
        self._waiting += 1
        self._share += self.stage.protocol.share(record, self.stage.parameters)
        if self._share >= ENOUGH:
            self._whole.append(self._growing)
            self._growing, self._share = [], 0.0

    def put_back(self, batch: Batch, records: tuple[Record, ...]) -> None:
        """Take note of a batch that was begun once and is to be begun again, before any new one."""
        self._again.append((batch, records))
        self._waiting += len(records)

    def take(self, *, is_last: bool) -> tuple[Batch, tuple[Record, ...]] | None:
        """Give the next batch and its records; ``None`` where there is not enough for one yet."""
        if self._again:
            batch, records = self._again.popleft()
            self._waiting -= len(records)
            return batch, records
        if self._whole:
            members = self._whole.popleft()
        elif is_last and self._growing:
            members, self._growing, self._share = self._growing, [], 0.0
        else:
            return None
        self._waiting -= len(members)
        self.begun += 1
        first, numbers = self.stop, [number for number, _ in members if number is not None]
        self.stop = numbers[-1] + 1 if numbers else first
        members.sort(key=lambda member: member[0] is None)  # as a restart has them
        restored = tuple(record.key for number, record in members if number is None)
        key = f"batch_{self.begun:04d}"
        batch = Batch(run=self.stage.name, key=key, first=first, stop=self.stop, restored=restored)
        return batch, tuple(record for _, record in members)
