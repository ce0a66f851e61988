"""Commands that the engine runs now and then beside its work, such as writing the report."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from emlab.engine.journal import trim

NICENESS = 10
GRACE = 5.0
"""Seconds that a chore has to end by itself, which removes what it would leave behind, before it is killed."""
TRIM_EVERY = 60.0
"""Seconds between looks at how long the log has become."""


@dataclass(frozen=True)
class Chore:
    """A command that is run when there is something new, and once more at the end.

    Attributes
    ----------
    name
        For people.
    command
        Arguments; never a shell.
    every
        Seconds from the end of one run to the start of the next, at least; never more than a tenth of the
        time is spent on it.
    timeout
        Seconds after which it is ended.
    """

    name: str
    command: tuple[str, ...]
    every: float = 60.0
    timeout: float = 600.0


@dataclass
class _Running:
    process: subprocess.Popen[bytes]
    said: IO[bytes]
    started: float
    is_late: bool = False


class Housekeeping:
    """Runs chores, one process each at a time, without ever waiting for one; keeps the log within bounds."""

    def __init__(self, chores: Sequence[Chore], log: Path) -> None:
        self._chores = list(chores)
        self._log = log
        self._running: dict[str, _Running] = {}
        self._told: dict[str, str | None] = {}
        self._due = {chore.name: 0.0 for chore in chores}
        self._seen: dict[str, int] = {}
        self._trim_at = 0.0

    def attend(self, now: float, recorded: int, *, last: bool = False) -> list[str]:
        """Start what is due and look after what runs.

        Parameters
        ----------
        now
            Seconds of the machine's monotonic clock.
        recorded
            How much has been recorded; a chore is due only when there is more than at its last start.
        last
            Whether the session is over, so that nothing has to wait for its time.

        Returns
        -------
        list of str
            A sentence per chore that failed, unless it failed in the same way the last time.
        """
        if now >= self._trim_at:
            self._trim_at = now + TRIM_EVERY
            trim(self._log)
        complaints = [self._look_after(chore, now) for chore in self._chores]
        for chore in self._chores:
            due = last or now >= self._due[chore.name]
            if due and chore.name not in self._running and self._seen.get(chore.name) != recorded:
                self._seen[chore.name] = recorded
                complaints.append(self._start(chore, now))
        return [complaint for complaint in complaints if complaint]

    @property
    def is_busy(self) -> bool:
        """Whether a chore is running."""
        return bool(self._running)

    def close(self) -> None:
        """End what runs."""
        for running in self._running.values():
            running.process.terminate()
        for running in self._running.values():
            with suppress(subprocess.TimeoutExpired):
                running.process.wait(GRACE)
            running.process.kill()
            with suppress(subprocess.TimeoutExpired):  # whom not even that ends, while its disk is away
                running.process.wait(GRACE)
            self._heard(running.said)
        self._running.clear()

    def _look_after(self, chore: Chore, now: float) -> str | None:
        if chore.name not in self._running:
            return None
        running = self._running[chore.name]
        code, took = running.process.poll(), now - running.started
        if code is None:
            if took >= chore.timeout + GRACE:
                running.process.kill()
            elif took >= chore.timeout and not running.is_late:
                running.is_late = True
                running.process.terminate()
            return None
        del self._running[chore.name]
        words = self._heard(running.said)
        if running.is_late:
            words = (
                f"The {chore.name} was not written within {chore.timeout:g} s and was stopped; see {self._log.name}."
            )
        elif code and not words:
            words = f"The {chore.name} was not written: exit code {code}; see {self._log.name}."
        return self._ended(chore, now, took, words if code else None)

    def _start(self, chore: Chore, now: float) -> str | None:
        # Not by os.nice in the child: Python code between fork and exec may hang where there are threads.
        command = ("nice", "-n", str(NICENESS), *chore.command)
        said = None
        try:
            said = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the chore has ended
            with self._log.open("ab") as log:
                process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=said)
        except OSError as error:  # a full disk, too little memory, too many processes
            if said is not None:
                said.close()
            return self._ended(chore, now, 0.0, f"The {chore.name} could not be started: {error}.")
        self._running[chore.name] = _Running(process, said, now)
        return None

    def _ended(self, chore: Chore, now: float, took: float, complaint: str | None) -> str | None:
        """Set when a chore is due again, and give the complaint, unless it was the last time's too."""
        self._due[chore.name] = now + max(chore.every, 9 * took)
        told, self._told[chore.name] = self._told.get(chore.name), complaint
        return complaint if complaint != told else None

    def _heard(self, said: IO[bytes]) -> str:
        """Put what a chore said of its errors into the log, and give the last line of it."""
        with said:
            said.seek(0)
            words = said.read()
        with suppress(OSError), self._log.open("ab") as log:
            log.write(words)
        lines = words.decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else ""
