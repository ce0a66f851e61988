"""What the panels of a page share."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from emlab.monitors import (
    Alarms,
    Events,
    Items,
    Load,
    Overview,
    Overviewer,
    System,
    by_measure,
    in_force,
    selection_rule,
)
from emlab.session import Session
from emlab_widgets.panels.focus import Focus
from emlab_widgets.panels.guard import Guard

LOOK_EVERY = 5.0
"""Seconds between two looks at the machine."""
LOOKS = 720
"""How many looks at the machine are kept: an hour's."""
_DECISIONS = ("", "accepted", "rejected")
"""By the number that `emlab.monitors.Items.decision` has for them."""


class Panel(Protocol):
    """A part of the page that is made when it is first opened, and brought up to date while it is open."""

    widget: Any

    def update(self) -> None:
        """Draw what there is now."""


class View:
    """One session as a page sees it: its items, its overview, and the micrograph in focus.

    Attributes
    ----------
    session, items, overviewer, events
        Read once for all panels.
    overview
        As of the last update.
    focus
        The micrograph that all panels show.
    alarms
        What is wrong now.
    loads
        How busy the machine was, during the last hour.
    guard
        Runs callbacks, and shows their errors.
    is_large
        Whether a panel is open that shows the pictures of the micrograph in focus itself.
    can_steer
        Whether the page may change the session; a read-only page has no button that would.
    """

    def __init__(self, session: Session, *, can_steer: bool) -> None:
        self.session = session
        self.items = Items(session)
        self.overviewer = Overviewer(session, self.items)
        self.events = Events(session)
        self.focus = Focus(self.items)
        self.guard = Guard()
        self.alarms = Alarms(str(session.path))
        self.loads: deque[Load] = deque(maxlen=LOOKS)
        self.is_large = False
        self.can_steer = can_steer
        self._system = System(session.path)
        self._decided_at = -1
        self._next_acknowledgement = 0
        self._listeners: list[Callable[[], None]] = []
        self.overview: Overview = self.overviewer.update()
        self.rule = selection_rule(session)

    def update(self, *, recorded: bool = True) -> None:
        """Read what is new: in the session, where something was ``recorded``, and of the machine."""
        if recorded:
            if self.items.update():
                self.focus.update()
            self.rule = selection_rule(self.session)
            self.events.update()
        self.overview = self.overviewer.update()
        self.alarms.update(self.items, self.overview, self.rule, self.overviewer.stages.failures)
        if recorded:
            for known in self.session.acknowledgements(self._next_acknowledgement):
                self.alarms.acknowledge(known.alarm, known.at)
                self._next_acknowledgement = known.number + 1
        if not self.loads or time.time() - self.loads[-1].at > 0.9 * LOOK_EVERY:
            self.loads.append(self._system.look())

    def listen(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` whenever a person has done something that more than one panel shows."""
        self._listeners.append(listener)

    def tell(self) -> None:
        """A person has done something that more than one panel shows."""
        for listener in self._listeners:
            listener()

    @property
    def decisions(self) -> NDArray[np.str_]:
        """``accepted``, ``rejected`` or nothing, of every item."""
        if self._decided_at != self.items.changes:
            self._decisions = np.array(_DECISIONS)[self.items.decision]
            self._decided_at = self.items.changes
        return self._decisions

    def decision(self, row: int) -> str:
        """``accepted``, ``rejected`` or nothing, of one item."""
        return _DECISIONS[self.items.decision[row]]

    @property
    def limits(self) -> Mapping[str, Sequence[float]]:
        """The limits of the selection, by measure, in Å and such."""
        return {} if self.rule is None else by_measure(in_force(self.items, self.rule.limits))
