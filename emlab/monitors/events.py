"""The newest events of a session."""

from __future__ import annotations

from collections import deque

from emlab.monitors.watched import Watched
from emlab.sets import Event

RECENT = 100


class Events:
    """The newest events of a session, at most `RECENT`.

    Attributes
    ----------
    recent
        In the order in which they happened.
    """

    def __init__(self, session: Watched) -> None:
        self._session = session
        self._next = 0
        self.recent: deque[Event] = deque(maxlen=RECENT)

    def update(self) -> int:
        """Read what is new; returns how many events that was."""
        new = self._session.events(self._next)
        self.recent.extend(new)
        if new:
            self._next = new[-1].number + 1
        return len(new)
