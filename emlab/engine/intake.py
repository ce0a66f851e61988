"""What a source takes in: a watched folder, and when to stop watching."""

from __future__ import annotations

import math
import os
import queue
import time
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from emlab.engine.pipeline import Stage
from emlab.engine.watcher import Report, Watcher
from emlab.model import Arrival
from emlab.model.watched import WatchedFolder

RING_EVERY = 0.01
"""Seconds between rings of the bell where many files come at once."""


def is_lost(report: Report) -> bool:
    """Whether a report is of a file that should have been taken and was not; a copy of one that was is no loss."""
    return report.final and report.kind != "duplicate"


class Intake:
    """A source stage's watcher, and its end of the stream.

    Parameters
    ----------
    stage
        A source.
    known
        Absolute paths taken in earlier.
    bell
        Event descriptor that is rung when something came.
    """

    def __init__(self, stage: Stage, known: Collection[str], bell: int) -> None:
        parameters = stage.parameters
        assert isinstance(parameters, WatchedFolder)  # noqa: S101
        self.stage = stage
        self._parameters = parameters
        self._arrived: queue.SimpleQueue[Arrival | Report] = queue.SimpleQueue()
        self._bell = bell
        self._rung_at = -math.inf
        self._is_unheard = False
        self._taken = len(known)
        self._last = math.inf
        self._ended: str | None = None
        self._closed = False
        self._deadline = parameters.deadline.timestamp() if parameters.deadline else None
        self._watcher = Watcher(
            Path(parameters.folder),
            parameters.patterns,
            found=self._came,
            reported=self._came,
            looked=self._looked,
            settle_time=parameters.settle_time,
            stalled_after=parameters.stalled_after,
            known=known,
        )

    def start(self) -> None:
        """Begin to watch."""
        self._watcher.start()

    def take(self, now: float) -> list[Arrival | Report]:
        """What came since the last call."""
        came: list[Arrival | Report] = []
        while not self._arrived.empty():
            came.append(self._arrived.get())
        if came:
            self._last = now
            self._taken += sum(isinstance(item, Arrival) or is_lost(item) for item in came)
        return came

    def end(self, reason: str) -> None:
        """Take nothing more in."""
        self._ended = self._ended or reason

    def ending(self, now: float) -> str | None:
        """Why nothing more is taken in; ``None`` while the folder is watched."""
        wanted, idle = self._parameters.expected_count, self._parameters.idle_timeout
        if self._ended is None and wanted is not None and self._taken >= wanted:
            self._ended = f"all {wanted} expected files have come"
        elif self._ended is None and now >= self.next_look():
            self._ended = f"no new file for {idle:g} s"
        elif self._ended is None and self._deadline is not None and time.time() >= self._deadline:
            self._ended = "the set time to stop was reached"
        return self._ended

    def next_look(self) -> float:
        """When `ending` may change by itself, seconds of the machine's monotonic clock."""
        return self._last + self._parameters.idle_timeout if self._ended is None else math.inf

    def close(self) -> list[Report]:
        """Stop watching, and give what never completed."""
        if self._closed:
            return []
        self._closed = True
        self._watcher.stop()
        never = "It was incomplete when the import ended."
        return [replace(report, final=True, message=f"{report.message} {never}") for report in self._watcher.pending()]

    def _came(self, item: Arrival | Report) -> None:
        self._arrived.put(item)
        self._is_unheard = True
        if time.monotonic() >= self._rung_at + RING_EVERY:
            self._ring()

    def _looked(self) -> None:
        if self._last == math.inf:  # what is there already may take long to be found
            self._last = time.monotonic()
        self._ring()

    def _ring(self) -> None:
        if self._is_unheard:
            self._is_unheard, self._rung_at = False, time.monotonic()
            os.eventfd_write(self._bell, 1)
