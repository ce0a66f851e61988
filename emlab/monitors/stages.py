"""How far each run of a session has come, how fast it goes and what waits for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import chain

import numpy as np

from emlab.model import Accepted, Rejected
from emlab.monitors.rates import per_hour
from emlab.monitors.watched import Watched
from emlab.sets import Failure, IncrementalSet, Run

RECENT = 2000
"""Records of each run that its rate and its times are taken from."""


@dataclass(frozen=True)
class Stage:
    """A run's progress.

    Attributes
    ----------
    name, protocol
        The run, and what it does.
    available, done, failed, waiting
        Items: in its inputs, recorded, given up, and neither; those of a batch all at once.
    rate
        Items per hour during the last hour; nan before the second item.
    seconds
        Median of what an item took; nan before the first.
    latency, latency_99
        Median and 99th percentile of the seconds from an item's last input to its start, where a worker was
        free; nan where that is not known.
    is_open
        Whether more may come out of it.
    newest
        When it recorded last, seconds since 1970-01-01 UTC; nan before.
    """

    name: str
    protocol: str
    available: int
    done: int
    failed: int
    waiting: int
    rate: float
    seconds: float
    latency: float
    latency_99: float
    is_open: bool
    newest: float


class Stages:
    """The progress of every run of a session."""

    def __init__(self, session: Watched, now: Callable[[], float] = time.time) -> None:
        self._session = session
        self._now = now
        self._tallies: dict[str, _Tally] = {}
        self._next_failure = 0
        self._next_batch = 0
        self._next_retry = 0
        self._by_hand = _ByHand(session)

    @property
    def restored(self) -> Mapping[str, int]:
        """How many rejected items go on because somebody says so; under the name of their set and of the accepted."""
        return self._by_hand.counts

    @property
    def failures(self) -> list[Failure]:
        """What runs that stand gave up, and is not recorded; the newest first."""
        standing = (tally for tally in self._tallies.values() if tally.run.superseded_by is None)
        failed = chain.from_iterable(tally.failed.values() for tally in standing)
        return sorted(failed, key=lambda failure: failure.number, reverse=True)

    def update(self) -> list[Stage]:
        """Read what is new; returns every run's progress, in the order of the workflow."""
        sets = self._session.sets
        for run in self._session.runs:
            self._tallies.setdefault(run.name, _Tally(run)).run = run
        for retry in self._session.retries(self._next_retry):
            self._next_retry = retry.number + 1
            self._tallies[retry.run].failed.clear()
            self._next_failure = 0  # what was given up no longer is
        for failure in self._session.failures(self._next_failure):
            self._next_failure = failure.number + 1
            if failure.final:
                self._tallies[failure.run].failed[failure.key] = failure
        # After the failures, so that an item that succeeded in the end is taken off them when it is counted.
        for tally in self._tallies.values():
            tally.read(sets)
        # After the records, so that each has its batch.
        for batch in self._session.batches(self._next_batch):
            self._next_batch = batch.number + 1
            self._tallies[batch.run].sizes[batch.key] = batch.size
        self._by_hand.update(sets)
        return [tally.stage(sets, self._now(), self.restored) for tally in self._tallies.values()]


class _ByHand:
    """What people let go on although a run decided against it."""

    def __init__(self, session: Watched) -> None:
        self._session = session
        self._next = 0
        self._restored: set[str] = set()
        self._found: dict[str, set[str]] = {}
        self.counts: dict[str, int] = {}

    def update(self, sets: Mapping[str, IncrementalSet]) -> None:
        """Read what is new."""
        for judgement in self._session.judgements(self._next):
            self._next = judgement.number + 1
            if judgement.verdict == "restored":
                self._restored.add(judgement.key)
            elif judgement.verdict == "rejected":
                self._restored.discard(judgement.key)
        for run in self._session.runs:
            kinds = {sets[name].kind: name for name in run.outputs.values() if name not in run.inputs}
            if Accepted.kind in kinds and (rejected := kinds.get(Rejected.kind)):
                found = self._found.setdefault(rejected, set())
                found.update(key for key in self._restored - found if sets[rejected].get(key) is not None)
                self.counts[rejected] = self.counts[kinds[Accepted.kind]] = len(found & self._restored)


class _Tally:
    """What has been read of one run."""

    def __init__(self, run: Run) -> None:
        self.run = run
        # The arrivals belong to the run that imports them, which does not make them.
        self._outputs = [name for name in run.outputs.values() if name not in run.inputs]
        self._seen = dict.fromkeys(self._outputs, 0)
        self._recent = {name: np.empty(0) for name in ("recorded_at", "seconds", "latency")}
        self.failed: dict[str, Failure] = {}
        self.sizes: dict[str, int] = {}
        """Items in each batch of a fold that was not counted as done yet."""
        self._done = 0
        self._counted = dict.fromkeys(self._outputs, 0)

    def read(self, sets: Mapping[str, IncrementalSet]) -> None:
        """Read what is new in the run's outputs; rates and times need no more than the newest of it."""
        for name in self._outputs:
            new = sets[name].columns(tuple(self._recent), max(self._seen[name], len(sets[name]) - RECENT))
            if new["number"]:
                self._seen[name] = new["number"][-1] + 1
                for column, recent in self._recent.items():
                    known = [value for value in new[column] if value is not None]
                    self._recent[column] = np.append(recent, known)[-RECENT:]

    def _count(self, sets: Mapping[str, IncrementalSet]) -> None:
        """Count what was read as done: which items that are matters only to failures and batches."""
        for name, seen in self._seen.items():
            new = seen - self._counted[name]
            if new and (self.failed or self.sizes):
                keys = sets[name].columns(("key",), self._counted[name])["key"][:new]
                self._done += sum(self.sizes.pop(key, 1) for key in keys)
                for key in self.failed.keys() & set(keys):
                    del self.failed[key]
            else:
                self._done += new
            self._counted[name] = seen

    def stage(self, sets: Mapping[str, IncrementalSet], now: float, by_hand: Mapping[str, int]) -> Stage:
        """Give the run's progress, where so many items come to it by hand beside those of a set."""
        self._count(sets)
        available = min(len(sets[name]) + by_hand.get(name, 0) for name in self.run.inputs)
        failed = sum(self.sizes.get(key, 1) for key in self.failed)
        is_open = any(sets[name].is_open for name in self._outputs)
        recorded, seconds, latency = (self._recent[name] for name in ("recorded_at", "seconds", "latency"))
        usual, slow = np.percentile(latency, (50, 99)) if latency.size else (np.nan, np.nan)
        return Stage(
            name=self.run.name,
            protocol=self.run.protocol,
            available=available,
            done=self._done,
            failed=failed,
            waiting=max(available - self._done - failed, 0) if self.run.superseded_by is None else 0,
            rate=per_hour(recorded, now if is_open else None),
            seconds=float(np.median(seconds)) if seconds.size else np.nan,
            latency=float(usual),
            latency_99=float(slow),
            is_open=is_open,
            newest=float(recorded.max()) if recorded.size else np.nan,
        )
