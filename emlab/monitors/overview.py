"""A session at a glance: what came in, what came out, and whether the one keeps up with the other."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from emlab.monitors.items import Items
from emlab.monitors.rates import per_hour
from emlab.monitors.stages import Stage, Stages
from emlab.monitors.watched import Watched
from emlab.monitors.words import clock, counted, duration, number
from emlab.protocols import PROTOCOLS
from emlab.sets import Away, Run

FEW = 4
"""Items that wait while a session keeps up: those just being processed."""

_RESTING = ("created", "paused", "stopped", "crashed")


@dataclass(frozen=True)
class Overview:
    """A session at a glance.

    Attributes
    ----------
    state
        The session's.
    stages
        Every run's progress, in the order of the workflow.
    counts
        Records by kind: ``arrival``, ``micrograph``, ``ctf``, ``accepted`` …; of the newest run of each.
    failed
        Items that were given up.
    finished
        Items that need nothing more: through the last run, decided against before it, or given up.
    acquisition_rate
        Items per hour on the microscope's own clock, during its last hour; nan before the second one.
    processing_rate
        Items per hour that came out of the last run during the last hour; nan before the second one.
    away
        The disks and servers that items wait for.
    particles
        How many were found so far; ``None`` where a session looks for none.
    arriving
        Whether more items may come.
    at
        When this was so, seconds since 1970-01-01 UTC.
    """

    state: str
    stages: tuple[Stage, ...]
    counts: Mapping[str, int]
    failed: int
    finished: int
    acquisition_rate: float
    processing_rate: float
    arriving: bool
    at: float
    away: tuple[Away, ...] = ()
    particles: int | None = None

    @property
    def waiting(self) -> int:
        """Items that have arrived and are not finished."""
        return max(self.counts.get("arrival", 0) - self.finished, 0)

    @property
    def seconds_left(self) -> float:
        """How long the items that wait will take; nan while that cannot be told."""
        if not self.waiting:
            return 0.0
        return self.waiting / self.processing_rate * 3600 if self.processing_rate > 0 else math.nan

    @property
    def pace(self) -> str:
        """Whether processing keeps up, in a sentence."""
        if not self.counts.get("arrival", 0):
            return "Waiting for the first file." if self.arriving else "Nothing arrived."
        if not self.waiting:
            return "Everything that has arrived is processed."
        if self.state in _RESTING or not self.arriving:
            return f"{counted(self.waiting, 'item')} left to be processed."
        if self.waiting <= FEW:
            return "Keeping up with the microscope."
        if self.acquisition_rate > 1.1 * self.processing_rate:
            return (
                f"Falling behind: {number(self.acquisition_rate)} arrive per hour, {number(self.processing_rate)} are "
                "processed."
            )
        return f"{counted(self.waiting, 'item')} in the queue."

    @property
    def outlook(self) -> str:
        """When it will be done, in a sentence; empty where there is nothing to tell."""
        if self.state == "finished":
            return "The session is finished."
        if self.state in _RESTING:
            return "The session is paused." if self.state == "paused" else "The session is not running."
        if not self.waiting or (self.arriving and self.waiting <= FEW):
            return ""
        if math.isnan(self.seconds_left):
            return "The finishing time appears after the first results."
        left = f"done in {duration(self.seconds_left)} ({clock(self.at + self.seconds_left)})."
        return f"What has arrived will be {left}" if self.arriving else left.capitalize()

    @property
    def progress(self) -> str:
        """How far it is, in one line of text."""
        stages = ", ".join(
            f"{stage.name} {number(stage.done)}" + (f" ({stage.failed:,} failed)" if stage.failed else "")
            for stage in self.stages
        )
        return f"{counted(self.counts.get('arrival', 0), 'file')} arrived; {stages}. {self.pace}"

    @property
    def line(self) -> str:
        """The time of day, and how far it is."""
        return f"{clock(self.at)}  {self.progress}"


class Overviewer:
    """Makes the overview of a session, reading only what is new each time.

    Parameters
    ----------
    items
        Shared with other views, which update it.
    """

    def __init__(self, session: Watched, items: Items, now: Callable[[], float] = time.time) -> None:
        self._session = session
        self._items = items
        self._now = now
        self.stages = Stages(session, now)

    def update(self) -> Overview:
        """Give the session as it is now."""
        stages = self.stages.update()
        folds = {name for name, protocol in PROTOCOLS.items() if protocol.is_fold}
        sets = self._session.sets
        counts = {collection.kind: len(collection) for collection in sets.values()}
        # What is gathered for a batch of a fold is not behind.
        last = next((stage for stage in reversed(stages) if stage.protocol not in folds), None)
        failed = len({failure.key for failure in self.stages.failures})
        restored = self.stages.restored
        diverted = sum(len(sets[name]) - restored.get(name, 0) for name in _ends(self._session.runs))
        return Overview(
            state=self._session.state,
            stages=tuple(stages),
            counts=counts,
            failed=failed,
            finished=(last.done if last else 0) + failed + diverted,
            acquisition_rate=per_hour(self._items["acquired_at"]),
            processing_rate=last.rate if last else math.nan,
            arriving=any(collection.is_open for collection in sets.values() if collection.kind == "arrival"),
            at=self._now(),
            away=tuple(self._session.away),
            particles=int(np.nansum(self._items["count"])) if "picks" in counts else None,
        )


def _ends(runs: Sequence[Run]) -> list[str]:
    """The sets whose items go no further while those that the same run put into another set do: what was rejected."""
    standing = [run for run in runs if run.superseded_by is None]
    taken = {name for run in standing for name in run.inputs}
    return [
        name
        for run in standing
        if taken.intersection(made := set(run.outputs.values()).difference(run.inputs))
        for name in made - taken
    ]
