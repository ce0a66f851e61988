"""A reader in another process, that follows a set and remembers what it saw."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_FOLLOW = """
import sys, emlab
with emlab.open_session(sys.argv[1]) as session:
    for record in session["ctfs"].follow(int(sys.argv[2])):
        print(record.key, flush=True)
"""


class Witness:
    """Follows a session's CTFs.

    Parameters
    ----------
    session
        The session's folder.
    notes
        A file for what it sees.
    """

    def __init__(self, session: Path, notes: Path) -> None:
        self._session = session
        self._notes = notes
        self._reader: subprocess.Popen[bytes] | None = None
        self.forget()

    def look(self) -> None:
        """Follow on from what was seen last."""
        command = [sys.executable, "-c", _FOLLOW, str(self._session), str(len(self.seen()))]
        with self._notes.open("ab") as notes:
            self._reader = subprocess.Popen(command, stdout=notes, stderr=subprocess.DEVNULL)

    def die(self) -> None:
        """Be killed."""
        if self._reader:
            self._reader.kill()
            self._reader.wait()

    def forget(self) -> None:
        """Have seen nothing."""
        self._notes.write_bytes(b"")

    def seen(self) -> list[str]:
        """Keys in the order in which they were seen; half a line was not."""
        return self._notes.read_text().rpartition("\n")[0].split()

    def wait(self) -> None:
        """Until the set is closed."""
        if self._reader and self._reader.wait():
            raise RuntimeError("the reader broke down")
