"""Who owns a session."""

from __future__ import annotations

import fcntl
import os
import socket
import time
from pathlib import Path
from typing import TextIO

from emlab.errors import SessionBusy

PATIENCE = 1.0
"""Seconds that an engine tries, because a reader's look at the lock holds it for a moment."""


class SessionLock:
    """A session's lock, held for life by its engine and free the moment the engine is gone, however it went.

    Raises
    ------
    SessionBusy
        If another engine holds it.
    """

    def __init__(self, folder: Path) -> None:
        self._file: TextIO = (folder / "lock").open("a+")
        deadline = time.monotonic() + PATIENCE
        while not _try(self._file, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                self._file.seek(0)
                owner = self._file.read().strip() or "another process"
                self._file.close()
                raise SessionBusy(f"{folder} is run by {owner} already; `emlab stop` ends it, `emlab status` shows it.")
            time.sleep(0.01)
        self._file.truncate(0)
        self._file.write(f"the engine with process id {os.getpid()} on {socket.gethostname()}\n")
        self._file.flush()

    def release(self) -> None:
        """Let the session go."""
        self._file.close()


def is_locked(folder: Path) -> bool:
    """Whether an engine on this machine owns the session."""
    try:
        with (folder / "lock").open() as file:
            return not _try(file, fcntl.LOCK_SH)
    except FileNotFoundError:
        return False


def _try(file: TextIO, kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
