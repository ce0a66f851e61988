"""What is to be made durable, in order, and the patience to wait for a disk that is full."""

from __future__ import annotations

import json
import logging
import math
import sqlite3
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from emlab.engine.task import Trouble
from emlab.model import Record
from emlab.monitors.words import duration
from emlab.sets import Away, Batch, Closing, Ledger, Provenance, Verdict
from emlab.sets.salvage import is_of_damage

ACCOUNT_EVERY = 1.0
"""Seconds between records of the engine's own CPU time."""
OUTAGE = 480.0
"""Seconds for which a database that cannot be read is taken for a disk's or a server's trouble."""
LEISURE = 0.1
"""Seconds that what costs nothing to lose waits for something else to be committed with."""

log = logging.getLogger(__name__)


class Scribe:
    """Gathers what happened in one turn of the engine, and commits it together.

    What cannot be written is kept and tried again: order and numbers stay as they were given out.
    """

    def __init__(self, ledger: Ledger, open_sets: set[str]) -> None:
        self._ledger = ledger
        self._lengths = {name: ledger.length(name) for name in open_sets}
        self._unwritten: list[Callable[[], Any]] = []
        self._due = math.inf
        self._unreadable_since: float | None = None
        self._refused_since = 0.0
        self._refusals: list[str] = []
        self.open_sets = open_sets
        self.state = ""
        self._cpu_at_start = time.process_time()
        self._accounted = 0.0
        self.recorded = 0
        """How much was made durable so far."""

    @property
    def is_behind(self) -> bool:
        """Whether something is not durable yet."""
        return bool(self._unwritten)

    def append(self, name: str, record: Record, provenance: Provenance, *, at_leisure: bool = False) -> int:
        """Append a record to a set, and give its number.

        ``at_leisure`` is for what a crash would not lose: it need not cost a commit of its own.
        """
        self._write(lambda: self._ledger.append(name, record, provenance), LEISURE if at_leisure else 0.0)
        number = self._lengths[name]
        self._lengths[name] = number + 1
        return number

    def begin(self, batch: Batch) -> None:
        """Record what a batch is made of."""
        self._write(lambda: self._ledger.add_batch(batch))

    def fail(self, run: str, key: str, trouble: Trouble, attempt: int, *, final: bool) -> None:
        """Record that an item failed."""
        what = {"error": trouble.error, "message": trouble.message, "traceback": trouble.traceback}
        self._write(lambda: self._ledger.add_failure(run, key, attempt=attempt, final=final, **what))

    def forgive(self, run: str, key: str) -> None:
        """Take back that a run gave up on an item."""
        self._write(lambda: self._ledger.forgive(run, key))

    def note(self, level: str, message: str, run: str | None = None, key: str | None = None) -> None:
        """Record something that a person may want to know, in the log too."""
        log.log(getattr(logging, level.upper()), "%s", message)
        self._write(lambda: self._ledger.add_event(level, message, run, key))

    def note_command(self, name: str, arguments: dict[str, Any]) -> None:
        """Record what the engine was told to do."""
        self._write(lambda: self._ledger.add_command(name, arguments))

    def set_state(self, state: str) -> None:
        """Change the session's state."""
        self.state = state
        self._write(lambda: self._ledger.set_meta("state", state))

    def set_away(self, away: Iterable[Away]) -> None:
        """Record what items wait for now."""
        said = json.dumps([asdict(one) for one in away])
        self._write(lambda: self._ledger.set_meta("away", said))

    def judge(self, key: str, verdict: Verdict, note: str, author: str) -> None:
        """Record what a person decided or noted about an item."""
        self._write(lambda: self._ledger.add_judgement(key, verdict, note, author))

    def adopt_sets(self, names: Iterable[str]) -> None:
        """Write to more sets, which are new in the database."""
        for name in names:
            self._lengths[name] = self._ledger.length(name)
            self.open_sets.add(name)

    def reopen_sets(self, names: Iterable[str] = ()) -> None:
        """Open the sets again that are to grow, and those of these names that had been closed."""
        self.open_sets.update(names)
        wanted = tuple(self.open_sets)
        self._write(lambda: self._ledger.reopen_sets(wanted))

    def close_set(self, name: str, status: str, reason: str) -> None:
        """End a set."""
        self.open_sets.discard(name)
        closing = Closing(status=status, reason=reason, at=time.time())
        self._write(lambda: self._ledger.close_set(name, closing))

    @property
    def refusals(self) -> str:
        """Why the database cannot be written, in SQLite's words; empty where it can."""
        return ", ".join(self._refusals)

    @property
    def due(self) -> float:
        """When `commit` has something to do, seconds of the machine's monotonic clock."""
        return self._due

    def commit(self, *, at_once: bool = False) -> bool:
        """Make everything durable, if it is time; ``False`` when the disk does not take it, and it is kept.

        Whether anything was written is seen by `recorded`.
        """
        if not self._unwritten or (time.monotonic() < self._due and not at_once):
            return True
        outage = self._outage()
        try:
            with self._ledger.transaction():
                for write in self._unwritten:
                    write()
                if outage:
                    self._ledger.add_event("warning", outage)
                self._account()
        except sqlite3.DatabaseError as error:
            if not self._may_pass(error):
                raise
            self._take_refusal(str(error))
            return False
        if outage:
            log.warning("%s", outage)
        self.recorded += len(self._unwritten)
        self._unwritten, self._due, self._unreadable_since, self._refusals = [], math.inf, None, []
        return True

    def testify(self, message: str) -> None:
        """Record this alone, because what is unwritten may be what cannot be written."""
        with suppress(sqlite3.Error), self._ledger.transaction():
            self._ledger.add_event("error", message)

    def _may_pass(self, error: sqlite3.DatabaseError) -> bool:
        """Whether the same may work later; SQLite tells a disk's read error from a broken page only by its end."""
        if not is_of_damage(error):
            return isinstance(error, sqlite3.OperationalError)
        now = time.monotonic()
        self._unreadable_since = self._unreadable_since or now
        return now - self._unreadable_since < OUTAGE

    def _take_refusal(self, why: str) -> None:
        """Tell the log once why the database cannot be written, however often that is tried."""
        if not self._refusals:
            self._refused_since = time.monotonic()
        if why not in self._refusals:
            self._refusals.append(why)
            log.error("The database cannot be written (%s): everything waits until it can.", why)

    def _outage(self) -> str:
        """What is to be said once the database can be written again; empty where it can."""
        if not self._refusals:
            return ""
        lasted = duration(time.monotonic() - self._refused_since)
        return f"The database could not be written for {lasted} ({self.refusals}): everything waited."

    def _write(self, write: Callable[[], Any], leisure: float = 0.0) -> None:
        self._unwritten.append(write)
        self._due = min(self._due, time.monotonic() + leisure)

    def _account(self) -> None:
        """Record now and then what the engine itself has cost."""
        now = time.monotonic()
        if now - self._accounted >= ACCOUNT_EVERY or self.state in {"finished", "stopped"}:
            self._accounted = now
            self._ledger.set_meta("engine_cpu", f"{time.process_time() - self._cpu_at_start:.3f}")
