"""How a session stands, for whoever looks after it: its items, overview, rule and alarms."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from emlab.monitors.alarms import Alarm, Alarms
from emlab.monitors.items import Items
from emlab.monitors.overview import Overviewer
from emlab.monitors.rule import selection_rule
from emlab.monitors.watched import Watched
from emlab.sets import Acknowledgement, Failure


class Attended(Watched, Protocol):
    """What people look after: it lies on a disk, and they say which alarms they know of."""

    @property
    def path(self) -> Path:
        """The session's folder."""

    def acknowledgements(self, since: int = 0) -> Sequence[Acknowledgement]:
        """Which alarms people know of, numbered ``since`` and up."""


class Situation:
    """How a session stands, reading only what is new each time.

    Attributes
    ----------
    items, overviewer, overview, rule, alarms
        As of the last update; before the first, no item was read.
    """

    def __init__(self, session: Attended) -> None:
        self._session = session
        self.items = Items(session)
        self.overviewer = Overviewer(session, self.items)
        self.overview = self.overviewer.update()
        self.rule = selection_rule(session)
        self.alarms = Alarms(str(session.path))
        self._next_acknowledgement = 0

    @property
    def failures(self) -> list[Failure]:
        """What was given up, the newest first."""
        return self.overviewer.stages.failures

    def update(self, *, recorded: bool = True) -> list[Alarm]:
        """Look again, at records only where something was ``recorded``; gives the alarms that are new."""
        if recorded:
            self.items.update()
            self.rule = selection_rule(self._session)
        self.overview = self.overviewer.update()
        new = self.alarms.update(self.items, self.overview, self.rule, self.failures)
        for known in self._session.acknowledgements(self._next_acknowledgement) if recorded else ():
            self.alarms.acknowledge(known.alarm, known.at)
            self._next_acknowledgement = known.number + 1
        return new
