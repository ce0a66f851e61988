"""What the panels of a page share."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from emlab.monitors import Alarm, Events, Load, Situation, System, by_measure, in_force
from emlab.session import Session
from emlab_widgets.panels.draft import Draft
from emlab_widgets.panels.focus import Focus
from emlab_widgets.panels.guard import Guard

LOOK_EVERY = 5.0
"""Seconds between two looks at the machine."""
LOOKS = 720
"""How many looks at the machine are kept: an hour's."""


class Panel(Protocol):
    """A part of the page that is made when it is first opened, and brought up to date while it is open."""

    widget: Any

    def update(self) -> None:
        """Draw what there is now."""


class View(Situation):
    """One session as a page sees it: how it stands, and the micrograph in focus.

    Attributes
    ----------
    session, events
        Read once for all panels.
    focus
        The micrograph that all panels show.
    draft
        Limits of the selection that are not applied yet.
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
        super().__init__(session)
        self.session = session
        self.events = Events(session)
        self.focus = Focus(self.items)
        self.draft = Draft()
        self.guard = Guard()
        self.loads: deque[Load] = deque(maxlen=LOOKS)
        self.is_large = False
        self.can_steer = can_steer
        self._system = System(session.path)
        self._listeners: list[Callable[[], None]] = []

    def update(self, *, recorded: bool = True) -> list[Alarm]:
        """Look again, as `Situation.update` does, and at the machine."""
        new = super().update(recorded=recorded)
        if recorded:
            self.focus.update()
            self.events.update()
        if not self.loads or time.time() - self.loads[-1].at > 0.9 * LOOK_EVERY:
            self.loads.append(self._system.look())
        return new

    def listen(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` whenever a person has done something that more than one panel shows."""
        self._listeners.append(listener)

    def tell(self) -> None:
        """A person has done something that more than one panel shows."""
        for listener in self._listeners:
            listener()

    @property
    def limits(self) -> Mapping[str, Sequence[float]]:
        """The limits of the selection, by measure, in Å and such."""
        return {} if self.rule is None else by_measure(in_force(self.items, self.rule.limits))
