"""Where files come in: the sources' folders, the arrivals, and the files that never become one."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from emlab.engine.backlog import Backlog
from emlab.engine.intake import Intake, is_lost
from emlab.engine.pipeline import Stage
from emlab.engine.scribe import Scribe
from emlab.engine.task import Trouble
from emlab.engine.watcher import Report
from emlab.model import Arrival
from emlab.sets import NOT_TAKEN, Catalogue, Provenance


class Reception:
    """Records what the watchers find, and puts it into the backlog.

    Parameters
    ----------
    sources
        Stages that take files in.
    bell
        Event descriptor that is rung when something came.
    """

    def __init__(
        self, sources: Iterable[Stage], catalogue: Catalogue, scribe: Scribe, backlog: Backlog, bell: int
    ) -> None:
        self._scribe = scribe
        self._backlog = backlog
        self._intakes = [Intake(stage, _known(catalogue, stage), bell) for stage in sources]

    def start(self) -> None:
        """Begin to watch."""
        for intake in self._intakes:
            intake.start()

    def next_looks(self) -> Iterator[float]:
        """When an end of the stream may come by itself, seconds of the machine's monotonic clock."""
        return (intake.next_look() for intake in self._intakes)

    def take(self, now: float) -> None:
        """Take note of what came since the last call."""
        for intake in self._intakes:
            if intake.stage.inputs[0] in self._scribe.open_sets:
                self._empty(intake, now)

    def close_ended(self, now: float) -> None:
        """Close the arrivals of each source whose stream has ended."""
        for intake in self._intakes:
            name = intake.stage.inputs[0]
            if name in self._scribe.open_sets and (reason := intake.ending(now)) is not None:
                left = intake.close()
                self._empty(intake, now)
                for report in left:
                    self._take_report(intake.stage, report)
                self._scribe.close_set(name, "success", reason)

    def end(self, reason: str) -> None:
        """Take nothing more in."""
        for intake in self._intakes:
            intake.end(reason)

    def close(self) -> None:
        """Stop watching."""
        for intake in self._intakes:
            intake.close()

    def _empty(self, intake: Intake, now: float) -> None:
        for came in intake.take(now):
            if isinstance(came, Arrival):
                self._take_arrival(intake.stage, came, now)
            else:
                self._take_report(intake.stage, came)

    def _take_arrival(self, stage: Stage, arrival: Arrival, now: float) -> None:
        name = stage.inputs[0]
        given_up = self._backlog.progress[stage.name].given_up
        if arrival.key in given_up:
            given_up.remove(arrival.key)
            self._scribe.forgive(stage.name, arrival.key)
        # A crash loses no arrival: the watcher finds the file again.
        number = self._scribe.append(name, arrival, Provenance(recorded_at=time.time()), at_leisure=True)
        self._backlog.add(name, number, arrival, now)

    def _take_report(self, stage: Stage, report: Report) -> None:
        given_up = self._backlog.progress[stage.name].given_up
        if report.key is None or not is_lost(report):
            self._scribe.note("warning", report.message, stage.name, report.key)
        elif report.key not in given_up:
            given_up.add(report.key)
            trouble = Trouble(NOT_TAKEN, report.message, "", retry=False)
            self._scribe.fail(stage.name, report.key, trouble, 1, final=True)


def _known(catalogue: Catalogue, source: Stage) -> list[str]:
    facts = catalogue.sets()[source.inputs[0]]
    return [path for (path,) in catalogue.rows("SELECT path FROM arrival WHERE set_id = ?", (facts.id,))]
