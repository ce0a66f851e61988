"""Commands that the engine runs now and then beside its work, such as writing the report."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from emlab.engine.journal import trim

NICENESS = 10
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
        Seconds after which it is killed.
    """

    name: str
    command: tuple[str, ...]
    every: float = 60.0
    timeout: float = 600.0


class Housekeeping:
    """Runs chores, one process each at a time, without ever waiting for one; keeps the log within bounds."""

    def __init__(self, chores: Sequence[Chore], log: Path) -> None:
        self._chores = list(chores)
        self._log = log
        self._running: dict[str, tuple[subprocess.Popen[bytes], IO[bytes], float]] = {}
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
        complaints = [complaint for chore in self._chores if (complaint := self._look_after(chore, now))]
        for chore in self._chores:
            due = last or now >= self._due[chore.name]
            if due and chore.name not in self._running and self._seen.get(chore.name) != recorded:
                self._seen[chore.name] = recorded
                self._running[chore.name] = (*self._start(chore), now)
        return complaints

    @property
    def is_busy(self) -> bool:
        """Whether a chore is running."""
        return bool(self._running)

    def close(self) -> None:
        """Kill what runs."""
        for process, said, _ in self._running.values():
            process.kill()
            process.wait()
            self._heard(said)
        self._running.clear()

    def _look_after(self, chore: Chore, now: float) -> str | None:
        if chore.name not in self._running:
            return None
        process, said, started = self._running[chore.name]
        code = process.poll()
        if code is None:
            if now - started < chore.timeout:
                return None
            process.kill()
            code = process.wait()
        del self._running[chore.name]
        self._due[chore.name] = now + max(chore.every, 9 * (now - started))
        words = self._heard(said)
        complaint = words or f"The {chore.name} was not written: exit code {code}; see {self._log.name}."
        told, self._told[chore.name] = self._told.get(chore.name), complaint if code else None
        return complaint if code and complaint != told else None

    def _start(self, chore: Chore) -> tuple[subprocess.Popen[bytes], IO[bytes]]:
        said = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the chore has ended
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                chore.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=said,
                preexec_fn=lambda: os.nice(NICENESS),
            )
        return process, said

    def _heard(self, said: IO[bytes]) -> str:
        """Put what a chore said of its errors into the log, and give the last line of it."""
        with said:
            said.seek(0)
            words = said.read()
        with self._log.open("ab") as log:
            log.write(words)
        lines = words.decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else ""
