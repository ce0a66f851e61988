"""What comes back of items: records, and trouble, after which an item waits, is tried again or is given up."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace
from pathlib import Path

from emlab.engine.absence import Absences
from emlab.engine.backlog import ATTEMPTS, Backlog, Item
from emlab.engine.scribe import Scribe
from emlab.engine.task import Outcome, Trouble
from emlab.sets import Away, Provenance

RETRY_AFTER = 2.0
"""Seconds before an item is tried again; doubled for each further trouble of the same cause."""

log = logging.getLogger(__name__)


@dataclass
class Running:
    """An item that is being processed, and whether it was sent out the moment that it was ready."""

    item: Item
    prompt: bool


class Harvest:
    """Takes in outcomes.

    Parameters
    ----------
    folder
        The session's.
    backlog, scribe, absences
        The engine's.

    Attributes
    ----------
    makers
        Which worker made the newest record of an item that goes on: it has the pixels in its memory.
    """

    def __init__(self, folder: Path, backlog: Backlog, scribe: Scribe, absences: Absences) -> None:
        self._folder, self._backlog, self._scribe, self._absences = folder, backlog, scribe, absences
        self._remarks: set[str] = set()
        self.makers: dict[str, str] = {}

    def take(self, running: Running, outcome: Outcome, now: float) -> None:
        """Record what became of an item, and put into the backlog what follows from it."""
        task, stage = outcome.task, running.item.stage
        if outcome.remark and outcome.remark not in self._remarks:
            self._remarks.add(outcome.remark)
            self._scribe.note("warning", f"{outcome.remark} This is reported only once.", task.run, task.key)
        if outcome.trouble is not None:
            self._take_trouble(running.item, outcome.trouble, now)
            return
        record = outcome.record
        assert record is not None  # noqa: S101
        absence = self._absences.end(stage.name)
        if absence is not None and absence.is_told:
            self._scribe.note("info", absence.ending(now), stage.name)
            self._tell_away(now)
        name = stage.outputs[record.kind]
        provenance = Provenance(
            recorded_at=time.time(),
            seconds=outcome.seconds,
            cpu_seconds=outcome.cpu_seconds,
            latency=outcome.started - running.item.ready_at if running.prompt else None,
            worker=outcome.worker,
            device=outcome.device,
            attempt=task.attempt,
        )
        self._backlog.finish(stage.name, record)
        if self._backlog.is_awaited(name):
            self.makers[task.key] = outcome.worker
        self._backlog.add(name, self._scribe.append(name, record, provenance), record, now)

    def retire(self, run: str, now: float) -> None:
        """Wait for nothing any more that a run needed."""
        self._absences.end(run)
        self._tell_away(now)

    def _take_trouble(self, item: Item, trouble: Trouble, now: float) -> None:
        run, key, attempt = item.stage.name, item.key, item.attempt
        place = str(self._folder) if trouble.disk_full else trouble.away
        absence = self._absences.begin(run, place, now, RETRY_AFTER, is_full=trouble.disk_full) if place else None
        if absence is not None:
            if absence.looks > 1 and not absence.is_told:
                absence.is_told = True
                self._scribe.note("error", absence.beginning(trouble.message.rstrip(".")), run)
                self._tell_away(now)
            self._backlog.delay(item, absence.until)
            return
        troubles = (*item.troubles, trouble.cause)
        met = troubles.count(trouble.cause)
        final = not trouble.retry or met >= ATTEMPTS[trouble.cause]
        log.warning("%s: %s failed (attempt %d%s): %s", run, key, attempt, ", final" * final, trouble.message)
        self._scribe.fail(run, key, trouble, attempt, final=final)
        if final:
            self._backlog.give_up(item)
        else:
            self._backlog.delay(replace(item, troubles=troubles), now + RETRY_AFTER * 2 ** (met - 1))

    def _tell_away(self, now: float) -> None:
        past = time.time() - now
        self._scribe.set_away(
            Away(run=run, place=absence.place, since=past + absence.since)
            for run, absence in self._absences.told.items()
            if not absence.is_full  # whoever looks sees that for himself
        )
