"""Who owns a session."""

from __future__ import annotations

import fcntl
import os
import re
import socket
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from emlab.engine.mount import is_network
from emlab.errors import SessionBusy, SessionMissing

PATIENCE = 1.0
"""Seconds that an engine tries, because a reader's look at the lock holds it for a moment."""
BEAT = 5.0
"""Seconds between an engine's looks at its lock, and its signs of life on a network file system."""
SILENCE = 60.0
"""Seconds without one after which an engine of another host is taken for dead."""


class SessionLock:
    """A session's lock, held for life by its engine and free the moment the engine is gone, however it went.

    On a network file system the kernel's lock may not reach other hosts (``nolock``, ``local_lock``, Lustre without
    ``flock``). There an engine gives a sign of life every few seconds, and while it does another host's is refused.

    Raises
    ------
    SessionBusy
        If another engine holds it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / "lock"
        self._shared = is_network(folder)
        self._due = 0.0
        self._file: TextIO = self._path.open("a+")
        deadline = time.monotonic() + PATIENCE
        while not _try(self._file, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                owner = _owner(self._path) or "another process"
                self._file.close()
                raise SessionBusy(f"{folder} is already run by {owner}; `emlab stop` ends it, `emlab status` shows it.")
            time.sleep(0.01)
        if self._shared and (age := _age_elsewhere(self._path, _server_time(folder))) is not None:
            self._file.close()
            raise SessionBusy(
                f"{folder} is already run by {_owner(self._path)}, which gave a sign of life {age:.0f} s ago; `emlab "
                f"stop` there ends it. If that host is gone, try again in {SILENCE - age:.0f} s."
            )
        self._me = f"the engine with process id {os.getpid()} on {socket.gethostname()}"
        self._file.truncate(0)
        self._file.write(f"{self._me}\n")
        self._file.flush()

    def beat(self, now: float) -> None:
        """Look, if it is time, whether the session is still there; give a sign of life to who cannot see the lock.

        Parameters
        ----------
        now
            Seconds of the machine's monotonic clock.

        Raises
        ------
        SessionBusy
            If an engine of another host has taken the session, because there was no sign for so long.
        SessionMissing
            If the session was removed.
        """
        if now < self._due:
            return
        self._due = now + BEAT
        try:
            is_removed = os.fstat(self._file.fileno()).st_nlink == 0
        except OSError:  # a stale handle, which may pass
            is_removed = False
        if is_removed:
            raise SessionMissing(f"{self._folder} was removed; this engine ends.")
        if not self._shared:
            return
        with suppress(OSError):  # the server is away: the next sign is as good
            if (owner := _owner(self._path)) != self._me:
                raise SessionBusy(f"{self._folder} was taken over by {owner or 'another engine'}; this engine ends.")
            os.utime(self._path)

    def release(self) -> None:
        """Let the session go."""
        with suppress(OSError):
            if self._shared and _owner(self._path) == self._me:
                self._file.truncate(0)
        self._file.close()


def is_locked(folder: Path) -> bool:
    """Whether an engine owns the session: of this machine or, on a network file system, of any."""
    path = folder / "lock"
    try:
        with path.open() as file:
            if not _try(file, fcntl.LOCK_SH):
                return True
    except FileNotFoundError:
        return False
    return is_network(folder) and _age_elsewhere(path, time.time()) is not None


def _try(file: TextIO, kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _owner(path: Path) -> str:
    """Who wrote the lock, as it is on the server now: a file is only then read anew when it is opened."""
    return path.read_text(encoding="utf-8", errors="replace").strip()


def _age_elsewhere(path: Path, now: float) -> float | None:
    """Seconds since the last sign of life of another host's engine; ``None`` where none lives."""
    owner = re.fullmatch(r"the engine with process id \d+ on (.+)", _owner(path))
    if owner is None or owner[1] == socket.gethostname():
        return None
    age = max(0.0, now - path.stat().st_mtime)
    return age if age < SILENCE else None


def _server_time(folder: Path) -> float:
    """Seconds since 1970-01-01 UTC by the clock that stamps the folder's files, which may differ from this host's."""
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".clock-", suffix=".tmp") as file:
        return os.fstat(file.fileno()).st_mtime
