"""Who looks after a session at night: ``python -m emlab.watchman SESSION PID``, started by its engine.

It is a process of its own because it has to tell, too, that the engine is gone.
"""

from __future__ import annotations

import logging
import os
import socket
import sqlite3
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from emlab.errors import EmlabError
from emlab.monitors import Situation
from emlab.monitors.notices import Addressee, Notice, addressees, chosen
from emlab.session import Session, open_session

LOOK = 20.0
"""Seconds between looks at the session."""
PATIENCE = 3600.0
"""Seconds for which somebody who cannot be reached is tried again."""

log = logging.getLogger(__name__)


class Watchman:
    """Tells of each alarm once per episode, unless somebody said to know of it, and of the session's end.

    Parameters
    ----------
    session
        What is looked after.
    told
        Whoever is told.
    """

    def __init__(self, session: Session, told: Sequence[Addressee]) -> None:
        self._session = session
        self._told = told
        self._situation = Situation(session)
        self._unsent: list[tuple[float, Addressee, Notice]] = []

    def look(self) -> None:
        """See what is new, and tell of it."""
        for alarm in self._situation.update():
            if alarm.name not in self._situation.alarms.acknowledged:
                self._send(alarm.level, alarm.name, alarm.message)
        self._tell()

    def end(self) -> None:
        """Take a last look, once the engine is gone."""
        self.look()
        overview = self._situation.overview
        if overview.state == "finished":
            self._send("info", "finished", overview.progress)
            self._tell()

    def _send(self, level: str, what: str, text: str) -> None:
        where = f"{self._session.path} on {socket.gethostname()}"
        notice = Notice(level, f"{self._session.name}: {what}", f"{text}\n{where}")
        now = time.monotonic()
        self._unsent += [(now, addressee, notice) for addressee in self._told]

    def _tell(self) -> None:
        """Tell what is due, in order; who is not reached is told at a later look."""
        now = time.monotonic()
        unreached = []
        for since, addressee, notice in self._unsent:
            if not addressee.tell(notice):
                log.warning("%s could not be notified: %s", addressee.address, notice.title)
                if now - since < PATIENCE:
                    unreached.append((since, addressee, notice))
        self._unsent = unreached


def main() -> int:
    """Look after a session until its engine is gone, which may be before this begins."""
    os.nice(10)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    folder, engine = Path(sys.argv[1]), int(sys.argv[2])
    try:
        told = addressees(chosen(folder))
        with open_session(folder) as session:
            watchman = Watchman(session, told)
            due = 0.0
            while os.getppid() == engine:
                if time.monotonic() >= due:
                    due = time.monotonic() + LOOK
                    try:
                        watchman.look()
                    except (EmlabError, OSError, sqlite3.Error) as error:  # its disk is away, say
                        log.warning("The session could not be checked: %s", error)
                time.sleep(1.0)
            watchman.end()
    except EmlabError as error:
        log.error("Alarms cannot be sent: %s", error)  # noqa: TRY400
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
