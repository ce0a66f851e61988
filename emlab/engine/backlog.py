"""What is to be done: items whose inputs are there and whose output is not."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field

from emlab.engine.gathering import Gathering
from emlab.engine.pipeline import Stage
from emlab.engine.restoration import as_accepted
from emlab.engine.task import Cause
from emlab.model import Accepted, Record, Rejected
from emlab.sets import Batch

SHARD = 1000
"""Items whose outputs share a folder."""
ATTEMPTS: dict[Cause, int] = {"item": 3, "worker": 5, "outage": 9}
"""How often an item meets with trouble before it is given up, each cause counted for itself.

As the time between attempts doubles, a machine or one file may be away for eight minutes; what a whole disk or server
does to an item is not counted (`absence`).
"""


@dataclass(frozen=True)
class Item:
    """An item that a stage can process.

    ``ready_at`` is when its last input came, seconds of the machine's monotonic clock; ``troubles`` are the causes why
    it was not done so far; ``before`` is what a fold made of the batch before.
    """

    stage: Stage
    key: str
    records: tuple[Record, ...]
    shard: int
    ready_at: float
    troubles: tuple[Cause, ...] = ()
    before: Record | None = None

    @property
    def attempt(self) -> int:
        """1 for the first."""
        return len(self.troubles) + 1

    @property
    def accelerated(self) -> bool:
        """Whether it is for a GPU; the last attempt never is, because the card may be what fails."""
        is_last = any(self.troubles.count(cause) == ATTEMPTS[cause] - 1 for cause in ("item", "worker"))
        return self.stage.protocol.accelerated and not is_last


@dataclass
class Progress:
    """How far a stage is, in items.

    ``waiting`` have some of their inputs, or are gathered for a batch; ``ready`` have all; ``delayed`` failed and will
    be tried again; ``given_up`` are the keys of those that will not.
    """

    waiting: int = 0
    ready: int = 0
    running: int = 0
    delayed: int = 0
    done: int = 0
    given_up: set[str] = field(default_factory=set)

    @property
    def is_idle(self) -> bool:
        """Whether nothing can come out of the stage unless something new comes in."""
        return not (self.ready or self.running or self.delayed)


@dataclass
class _Parts:
    records: dict[str, Record] = field(default_factory=dict)
    shard: int = 0


class Backlog:
    """Items by stage, from the first of their inputs until their output is recorded; pure bookkeeping.

    Memory grows with what is unfinished, not with the session.
    """

    def __init__(self, stages: Iterable[Stage]) -> None:
        self.stages: dict[str, Stage] = {}
        self.progress: dict[str, Progress] = {}
        self.retired: set[str] = set()
        self.restored: set[str] = set()
        """Items that go on whatever a step decides, see `emlab.engine.restoration`."""
        self._consumers: dict[str, list[Stage]] = {}
        self._instead: dict[str, dict[str, str]] = {}
        self._parts: dict[str, dict[str, _Parts]] = {}
        self._gatherings: dict[str, Gathering] = {}
        for stage in stages:
            self.adopt(stage)
        self._ready: dict[bool, list[tuple[int, int, Item]]] = {True: [], False: []}
        self._delayed: list[tuple[float, int, Item]] = []
        self._order = itertools.count()

    def adopt(self, stage: Stage) -> None:
        """Keep the books of a stage from now on."""
        self.stages[stage.name] = stage
        self.progress[stage.name] = Progress()
        self._parts[stage.name] = {}
        if stage.protocol.is_fold:
            self._gatherings[stage.name] = Gathering(stage)
        for name in dict.fromkeys(stage.inputs):
            self._consumers.setdefault(name, []).append(stage)
        for name in stage.outputs.values():
            self._instead[name] = {other: kind for kind, other in stage.outputs.items() if other != name}

    def retire(self, name: str) -> None:
        """Let a stage start nothing more; what it is running may finish."""
        stage, progress = self.stages[name], self.progress[name]
        self.retired.add(name)
        for consumers in self._consumers.values():
            consumers[:] = [consumer for consumer in consumers if consumer is not stage]
        self._parts[name].clear()
        self._gatherings.pop(name, None)
        for line in self._ready.values():
            line[:] = [entry for entry in line if entry[-1].stage is not stage]
            heapq.heapify(line)
        self._delayed = [entry for entry in self._delayed if entry[-1].stage is not stage]
        heapq.heapify(self._delayed)
        progress.waiting = progress.ready = progress.delayed = 0

    def is_awaited(self, set_name: str) -> bool:
        """Whether a stage takes the records of a set one by one."""
        return any(not stage.protocol.is_fold for stage in self._consumers.get(set_name, ()))

    def add(self, set_name: str, number: int, record: Record, now: float) -> None:
        """Take note of a new record: every consumer that now has all its inputs gets an item.

        One that waits for what the same step could have made instead waits no longer, unless the item was restored.
        """
        for stage in self._consumers.get(set_name, ()):
            self.offer(stage, set_name, number, record, now)
        instead = as_accepted(record) if isinstance(record, Rejected) and record.key in self.restored else None
        for name, kind in self._instead.get(set_name, {}).items():
            for stage in self._consumers.get(name, ()):
                if instead is not None and kind == Accepted.kind:
                    self.offer(stage, name, number, instead, now, is_restored=True)
                    continue
                self._parts[stage.name].pop(record.key, None)
                if stage.name not in self._gatherings:
                    self.progress[stage.name].waiting = len(self._parts[stage.name])

    def offer(
        self, stage: Stage, set_name: str, number: int, record: Record, now: float, *, is_restored: bool = False
    ) -> None:
        """Give one stage a record that it consumes; one that is restored has its number in the set of rejected ones."""
        if (gathering := self._gatherings.get(stage.name)) is not None:
            gathering.add(None if is_restored else number, record)
            self.progress[stage.name].waiting = len(gathering)
            return
        waiting = self._parts[stage.name]
        parts = waiting.setdefault(record.key, _Parts(shard=number // SHARD))
        parts.records[set_name] = record
        if len(parts.records) == len(set(stage.inputs)):
            del waiting[record.key]
            records = tuple(parts.records[name] for name in stage.inputs)
            self.push(Item(stage, record.key, records, parts.shard, now))
        self.progress[stage.name].waiting = len(waiting)

    def lost(self, stage: Stage) -> int:
        """How many of a stage's waiting items wait in vain, because a step before it gave them up."""
        given_up: set[str] = set()
        ahead = list(stage.inputs)
        for name in ahead:
            for maker in (other for other in self.stages.values() if name in other.outputs.values()):
                given_up |= self.progress[maker.name].given_up
                ahead += maker.inputs
        return len(given_up & self._parts[stage.name].keys())

    def gather(self, sets_open: set[str], now: float) -> list[Batch]:
        """Put in line the next batch of each fold that works at none, and give those that were not begun before.

        Where a fold's input is not among the sets that are open, what is left is a batch.
        """
        begun = []
        for gathering in self._gatherings.values():
            stage = gathering.stage
            progress = self.progress[stage.name]
            is_last = not sets_open & set(stage.inputs)
            if progress.is_idle and (taken := gathering.take(is_last=is_last)) is not None:
                batch, records = taken
                shard = gathering.begun // SHARD
                self.push(Item(stage, batch.key, records, shard, now, before=gathering.before))
                progress.waiting = len(gathering)
                if not batch.number:
                    begun.append(batch)
        return begun

    def put_back(self, batch: Batch, records: tuple[Record, ...]) -> None:
        """Have a fold begin a batch again that was begun before."""
        gathering = self._gatherings[batch.run]
        gathering.put_back(batch, records)
        self.progress[batch.run].waiting = len(gathering)

    def take_up(self, stage: str, begun: int, stop: int, before: Record | None) -> None:
        """Let a fold go on after so many batches, of records numbered below ``stop``; ``before`` is what they gave."""
        gathering = self._gatherings[stage]
        gathering.begun, gathering.stop, gathering.before = begun, stop, before

    def push(self, item: Item) -> None:
        """Put an item in line: what a source takes in first, then the deepest stage, then the oldest."""
        urgency = -1000 if item.stage.protocol.is_source else -item.stage.depth
        heapq.heappush(self._ready[item.accelerated], (urgency, next(self._order), item))
        self.progress[item.stage.name].ready += 1

    def pop(self, accelerated: Iterable[bool]) -> Item | None:
        """Take the most urgent item among those that gain from a GPU (``True``) or those that do not (``False``)."""
        lines = [self._ready[choice] for choice in accelerated if self._ready[choice]]
        if not lines:
            return None
        item = heapq.heappop(min(lines, key=lambda line: line[0][:2]))[-1]
        progress = self.progress[item.stage.name]
        progress.ready -= 1
        progress.running += 1
        return item

    def delay(self, item: Item, until: float) -> None:
        """Hold a running item back, to be tried again; that of a retired stage is let go."""
        progress = self.progress[item.stage.name]
        progress.running -= 1
        if item.stage.name in self.retired:
            return
        progress.delayed += 1
        heapq.heappush(self._delayed, (until, next(self._order), item))

    def release(self, now: float) -> None:
        """Put the items back in line whose delay is over."""
        while self._delayed and self._delayed[0][0] <= now:
            item = heapq.heappop(self._delayed)[-1]
            self.progress[item.stage.name].delayed -= 1
            self.push(item)

    def next_release(self) -> float | None:
        """When the next delay is over; ``None`` when nothing is held back."""
        return self._delayed[0][0] if self._delayed else None

    def give_up(self, item: Item) -> None:
        """Take note that a running item failed for good."""
        progress = self.progress[item.stage.name]
        progress.running -= 1
        progress.given_up.add(item.key)

    def finish(self, stage: str, record: Record) -> None:
        """Take note that a running item was recorded, and what was made of it."""
        progress = self.progress[stage]
        progress.running -= 1
        progress.done += 1
        if (gathering := self._gatherings.get(stage)) is not None:
            gathering.before = record
