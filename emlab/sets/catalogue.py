"""A session's database, open for reading: what runs, sets, failures and events there are."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
import weakref
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from emlab.errors import SessionError
from emlab.sets import schema
from emlab.sets.entries import Acknowledgement, Away, Batch, Closing, Event, Failure, Judgement, Retry, Run, SetFacts
from emlab.sets.salvage import damaged, is_of_damage

PATIENCE = 2.0
"""Seconds that a transaction of another host's engine may take, whose locks may not be seen here."""


class Catalogue:
    """A read-only view of a session's database, for any number of readers in any process.

    Never blocks the engine, and never sees half a transaction.

    Raises
    ------
    SessionError
        If the file is not a database of a session, or of another version of emlab.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._columns: dict[str, frozenset[str]] = {}
        self._connection = _connect(path)
        # A notebook forgets sessions without closing them, of which Python 3.13 warns.
        self._close = weakref.finalize(self, self._connection.close)
        self._close.atexit = False

    def rows(self, query: str, parameters: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """Every row of a query, fetched at once: an open cursor would keep the write-ahead log growing."""
        with self._lock:
            return _fetched(self._connection, self.path, query, parameters)

    def selection(self, kind: str, columns: Iterable[str]) -> str:
        """SQL that selects columns of a kind's table; one that the emlab which made it did not know yet is NULL."""
        wanted = tuple(columns)
        if not self._columns.get(kind, frozenset()).issuperset(wanted):
            self._columns[kind] = frozenset(name for _, name, *_ in self.rows(f"PRAGMA table_info({kind})"))
        return ", ".join(name if name in self._columns[kind] else f"NULL AS {name}" for name in wanted)

    def version(self) -> int:
        """Give a number that changes when another process has committed something."""
        return int(self.rows("PRAGMA data_version")[0][0])

    def meta(self, name: str) -> str | None:
        """One of the session's own facts."""
        rows = self.rows("SELECT value FROM meta WHERE name = ?", (name,))
        return rows[0][0] if rows else None

    def away(self) -> list[Away]:
        """Disks and servers that the engine was waiting for when it last wrote."""
        return [Away(**said) for said in json.loads(self.meta("away") or "[]")]

    def runs(self) -> list[Run]:
        """Every run, in the order of the workflow."""
        outputs: dict[int, dict[str, str]] = {}
        for run_id, kind, name in self.rows("SELECT run_id, kind, name FROM collection ORDER BY id"):
            outputs.setdefault(run_id, {})[kind] = name
        return [
            Run(
                name=name,
                protocol=protocol,
                parameters=json.loads(parameters),
                inputs=tuple(json.loads(inputs)),
                outputs=outputs.get(run_id, {}),
                digest=digest,
                version=version,
                created_at=created_at,
                superseded_by=superseded_by,
            )
            for run_id, name, protocol, parameters, inputs, digest, version, created_at, superseded_by in self.rows(
                "SELECT id, name, protocol, parameters, inputs, digest, version, created_at, superseded_by"
                " FROM run ORDER BY id"
            )
        ]

    def sets(self) -> dict[str, SetFacts]:
        """Every set by its name."""
        return {
            name: SetFacts(
                id=set_id,
                name=name,
                kind=kind,
                run=run,
                closing=None if status is None else Closing(status=status, reason=reason, at=closed_at),
            )
            for set_id, name, kind, run, status, reason, closed_at in self.rows(
                "SELECT c.id, c.name, c.kind, r.name, c.status, c.reason, c.closed_at"
                " FROM collection c JOIN run r ON r.id = c.run_id ORDER BY c.id"
            )
        }

    def batches(self, since: int = 0) -> list[Batch]:
        """Batches of folds numbered ``since`` and up; the first has number 1."""
        return [
            Batch(run=run, key=key, first=first, stop=stop, restored=tuple(json.loads(restored)), number=number)
            for number, run, key, first, stop, restored in self.rows(
                "SELECT b.number, r.name, b.key, b.first, b.stop, b.restored FROM batch b JOIN run r ON r.id = b.run_id"
                " WHERE b.number >= ? ORDER BY b.number",
                (since,),
            )
        ]

    def failures(self, since: int = 0) -> list[Failure]:
        """Failures numbered ``since`` and up; the first has number 1."""
        return [
            Failure(
                number=number,
                run=run,
                key=key,
                attempt=attempt,
                final=bool(final),
                error=error,
                message=message,
                traceback=traceback,
                at=at,
            )
            for number, run, key, attempt, final, error, message, traceback, at in self.rows(
                "SELECT f.number, r.name, f.key, f.attempt, f.final, f.error, f.message, f.traceback, f.at"
                " FROM failure f JOIN run r ON r.id = f.run_id WHERE f.number >= ? ORDER BY f.number",
                (since,),
            )
        ]

    def given_up(self, run: str) -> dict[str, str]:
        """Items that failed for good in a run, in the order of failure, with the error of each."""
        query = "SELECT f.key, f.error FROM failure f JOIN run r ON r.id = f.run_id WHERE r.name = ? AND f.final"
        return dict(self.rows(f"{query} ORDER BY f.number", (run,)))

    def events(self, since: int = 0) -> list[Event]:
        """Events numbered ``since`` and up; the first has number 1."""
        return [
            Event(number=number, at=at, level=level, message=message, run=run, key=key)
            for number, at, level, message, run, key in self.rows(
                "SELECT e.number, e.at, e.level, e.message, r.name, e.key"
                " FROM event e LEFT JOIN run r ON r.id = e.run_id WHERE e.number >= ? ORDER BY e.number",
                (since,),
            )
        ]

    def judgements(self, since: int = 0) -> list[Judgement]:
        """Judgements numbered ``since`` and up; the first has number 1."""
        return [
            Judgement(number=number, at=at, key=key, verdict=verdict, note=note, author=author)
            for number, at, key, verdict, note, author in self.rows(
                "SELECT number, at, key, verdict, note, author FROM judgement WHERE number >= ? ORDER BY number",
                (since,),
            )
        ]

    def acknowledgements(self, since: int = 0) -> list[Acknowledgement]:
        """Acknowledgements of alarms numbered ``since`` and up."""
        return [
            Acknowledgement(number=number, at=at, **json.loads(arguments))
            for number, at, arguments in self.rows(
                "SELECT number, at, arguments FROM command WHERE name = 'acknowledge' AND number >= ? ORDER BY number",
                (since,),
            )
        ]

    def retries(self, since: int = 0) -> list[Retry]:
        """Retries that somebody asked for, numbered ``since`` and up."""
        return [
            Retry(number=number, at=at, run=said["run"], keys=tuple(said["keys"]), author=said["author"])
            for number, at, arguments in self.rows(
                "SELECT number, at, arguments FROM command WHERE name = 'retry' AND number >= ? ORDER BY number",
                (since,),
            )
            for said in (json.loads(arguments),)
        ]

    def close(self) -> None:
        """Close the connection."""
        self._close()


def _fetched(
    connection: sqlite3.Connection, path: Path, query: str, parameters: tuple[Any, ...] = ()
) -> list[tuple[Any, ...]]:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return connection.execute(query, parameters).fetchall()
        except sqlite3.DatabaseError as error:
            if is_of_damage(error):
                raise damaged(path, error) from error
            if error.sqlite_errorcode != sqlite3.SQLITE_READONLY_ROLLBACK:
                raise
            if time.monotonic() > deadline:
                raise SessionError(
                    f"An engine was killed while it wrote {path}; `emlab resume {path.parent}` undoes the unfinished "
                    "write and continues."
                ) from error
            time.sleep(0.01)


def _connect(path: Path) -> sqlite3.Connection:
    """Connect for reading; without write permission to the folder, as an unchanging file."""
    last: sqlite3.Error | None = None
    for mode in ("mode=ro", "immutable=1"):
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?{mode}", uri=True, check_same_thread=False, timeout=10, isolation_level=None
        )
        try:
            ((found,),) = _fetched(connection, path, "PRAGMA user_version")
        except SessionError:
            connection.close()
            raise
        except sqlite3.Error as error:
            connection.close()
            last = error
            continue
        if found != schema.VERSION:
            connection.close()
            raise SessionError(
                f"{path} has tables of version {found}, but this emlab reads version {schema.VERSION}; open it with "
                "the emlab that wrote it."
            )
        connection.execute("PRAGMA query_only = 1")
        return connection
    raise SessionError(f"{path} cannot be read as a session's database: {last}.") from last
