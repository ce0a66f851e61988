"""A session's progress as lines of text, until it ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Protocol

from emlab.monitors.items import Items
from emlab.monitors.overview import Overviewer
from emlab.monitors.watched import Watched

PERIOD = 5.0
"""Seconds between two lines, at least; longer and longer as the session goes on."""


class Waited(Watched, Protocol):
    """A session that one can wait for."""

    def wait(self, timeout: float = 1.0) -> bool:
        """Wait until something was recorded."""


def progress_lines(session: Waited, now: Callable[[], float] = time.time) -> Iterator[str]:
    """Give a line whenever something has changed, until the session has ended.

    The lines come less often the longer it takes, so that a day gives a few hundred of them.
    """
    items = Items(session)
    overviewer = Overviewer(session, items, now)
    started_at = now()
    due, last = started_at, ""
    is_going = True
    while is_going:
        session.wait(1.0)
        is_going = session.state in {"created", "running", "paused"}
        if is_going and now() < due:
            continue
        items.update()
        overview = overviewer.update()
        if overview.progress != last:
            last = overview.progress
            due = now() + max(PERIOD, (now() - started_at) / 100)
            yield overview.line
