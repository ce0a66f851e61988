"""The one writer of a session's database."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from emlab.model import Record
from emlab.sets import schema
from emlab.sets.entries import Batch, Closing, Provenance, Run, Verdict


class Ledger:
    """A session's database, open for writing; only the engine that holds the session's lock has one.

    Everything between the beginning and the end of `transaction` becomes durable together or not at all
    (``synchronous = FULL``: it survives a power cut).

    Parameters
    ----------
    path
        The database's file.
    journal
        SQLite's journal mode: ``WAL``, or ``TRUNCATE`` on a network file system, where WAL loses rows.

    Notes
    -----
    Only this connection writes and checkpoints, so SQLite's WAL-reset bug (before 3.51.3) cannot strike.

    The journal is against power cuts, and lets readers see whole transactions. Killed engines hardly need it: nearly
    all of a commit is the wait for the disk, by when every page is with the kernel, which outlives the process. Kills
    alone do not tell whether there is one: of 120, of which 118 fell into a commit without, none broke anything.
    """

    def __init__(self, path: Path, journal: str = "WAL") -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, timeout=10)
        self._connection.execute(f"PRAGMA journal_mode = {journal}")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._set_ids: dict[str, int] = {}
        self._lengths: dict[int, int] = {}
        self._run_ids: dict[str, int] = {}
        self._is_stale = False
        if self._connection.execute("PRAGMA user_version").fetchone()[0] == schema.VERSION:
            self._add_columns()
            self._load()

    @classmethod
    def create(cls, path: Path, meta: Mapping[str, str], journal: str = "WAL") -> Ledger:
        """Make a new database with these meta values."""
        ledger = cls(path, journal)
        with ledger.transaction():
            for statement in schema.CATALOGUE.split(";"):
                ledger._connection.execute(statement)
            for name, value in meta.items():
                ledger.set_meta(name, value)
            ledger._connection.execute(f"PRAGMA user_version = {schema.VERSION}")
        return ledger

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside becomes durable together or not at all."""
        if self._is_stale:
            self._load()
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            self._is_stale = True
            with suppress(sqlite3.Error):  # a disk that failed once may fail again
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                self._load()
            raise

    def set_meta(self, name: str, value: str) -> None:
        """Set one of the session's own facts."""
        self._connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    def add_run(self, run: Run, kinds: Mapping[str, str]) -> None:
        """Add a run and open its output sets.

        Parameters
        ----------
        kinds
            The kind of record of each of the run's sets, by the set's name.
        """
        cursor = self._connection.execute(
            "INSERT INTO run (name, protocol, parameters, inputs, digest, version, created_at) VALUES (?,?,?,?,?,?,?)",
            (
                run.name,
                run.protocol,
                json.dumps(run.parameters),
                json.dumps(run.inputs),
                run.digest,
                run.version,
                run.created_at,
            ),
        )
        run_id = self._run_ids[run.name] = int(cursor.lastrowid or 0)
        for name, kind in kinds.items():
            self._connection.execute(schema.create_table(kind))
            cursor = self._connection.execute(
                "INSERT INTO collection (name, run_id, kind) VALUES (?, ?, ?)", (name, run_id, kind)
            )
            set_id = self._set_ids[name] = int(cursor.lastrowid or 0)
            self._lengths[set_id] = 0

    def append(self, set_name: str, record: Record, provenance: Provenance) -> int:
        """Append a record to an open set and return its number.

        Raises
        ------
        sqlite3.IntegrityError
            If the set has a record of this item already.
        """
        set_id = self._set_ids[set_name]
        number = self._lengths[set_id]
        self._connection.execute(schema.insert_row(record.kind), schema.to_row(set_id, number, record, provenance))
        self._lengths[set_id] = number + 1
        return number

    def add_batch(self, batch: Batch) -> None:
        """Record what a batch of a fold is made of."""
        self._connection.execute(
            "INSERT INTO batch (run_id, key, first, stop, restored) VALUES (?, ?, ?, ?, ?)",
            (self._run_ids[batch.run], batch.key, batch.first, batch.stop, json.dumps(batch.restored)),
        )

    def put_back(self, table: str, row: Mapping[str, Any]) -> None:
        """Write a row of the catalogue as it was in a database that this one takes the place of."""
        columns, marks = ", ".join(row), ", ".join("?" * len(row))
        self._connection.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", tuple(row.values()))

    def add_failure(
        self, run: str, key: str, *, attempt: int, final: bool, error: str, message: str, traceback: str
    ) -> None:
        """Record that an item failed."""
        self._connection.execute(
            "INSERT INTO failure (run_id, key, attempt, final, error, message, traceback, at) VALUES (?,?,?,?,?,?,?,?)",
            (self._run_ids[run], key, attempt, final, error, _storable(message), _storable(traceback), time.time()),
        )

    def forgive(self, run: str, key: str) -> None:
        """Mark a failed item as no longer given up; its failures stay on record."""
        self._connection.execute("UPDATE failure SET final = 0 WHERE run_id = ? AND key = ?", (self._run_ids[run], key))

    def add_event(self, level: str, message: str, run: str | None = None, key: str | None = None) -> None:
        """Record an event that a person may want to know about."""
        self._connection.execute(
            "INSERT INTO event (at, level, message, run_id, key) VALUES (?, ?, ?, ?, ?)",
            (time.time(), level, _storable(message), self._run_ids[run] if run else None, key),
        )

    def add_command(self, name: str, arguments: Mapping[str, Any]) -> None:
        """Record a command given to the engine."""
        self._connection.execute(
            "INSERT INTO command (at, name, arguments) VALUES (?, ?, ?)", (time.time(), name, json.dumps(arguments))
        )

    def supersede(self, run: str, by: str) -> None:
        """Record that another run replaces this one."""
        self._connection.execute("UPDATE run SET superseded_by = ? WHERE name = ?", (by, run))

    def add_judgement(self, key: str, verdict: Verdict, note: str, author: str) -> None:
        """Record a person's decision or note on an item."""
        self._connection.execute(
            "INSERT INTO judgement (at, key, verdict, note, author) VALUES (?, ?, ?, ?, ?)",
            (time.time(), key, verdict, _storable(note), _storable(author)),
        )

    def close_set(self, name: str, closing: Closing) -> None:
        """End a set, with a status and a reason."""
        self._connection.execute(
            "UPDATE collection SET status = ?, reason = ?, closed_at = ? WHERE name = ?",
            (closing.status, closing.reason, closing.at, name),
        )

    def length(self, set_name: str) -> int:
        """How many records a set has."""
        return self._lengths[self._set_ids[set_name]]

    def reopen_sets(self, names: Iterable[str]) -> None:
        """Open sets again, in a session that goes on."""
        self._connection.executemany(
            "UPDATE collection SET status = NULL, reason = NULL, closed_at = NULL WHERE name = ?",
            [(name,) for name in names],
        )

    def checkpoint(self) -> None:
        """Bring the write-ahead log into the database, so that it stays small."""
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Close the database as a single plain file, where neither a reader nor a full disk hinders it.

        Such a file can be read from an archive that cannot be written.
        """
        with suppress(sqlite3.OperationalError):
            self.checkpoint()
            self._connection.execute("PRAGMA busy_timeout = 0")
            self._connection.execute("PRAGMA journal_mode = DELETE").fetchall()
        self._connection.close()

    def _add_columns(self) -> None:
        kinds = [kind for (kind,) in self._connection.execute("SELECT DISTINCT kind FROM collection").fetchall()]
        for kind in kinds:
            present = {row[1] for row in self._connection.execute(f"PRAGMA table_info({kind})").fetchall()}
            for statement in schema.add_columns(kind, present):
                self._connection.execute(statement)

    def _load(self) -> None:
        execute = self._connection.execute
        self._run_ids = dict(execute("SELECT name, id FROM run").fetchall())
        rows = execute("SELECT id, name, kind FROM collection").fetchall()
        self._set_ids = {name: set_id for set_id, name, _ in rows}
        self._lengths = {set_id: self._length(set_id, kind) for set_id, _, kind in rows}
        self._is_stale = False

    def _length(self, set_id: int, kind: str) -> int:
        query = f"SELECT coalesce(max(number) + 1, 0) FROM {kind} WHERE set_id = ?"
        return int(self._connection.execute(query, (set_id,)).fetchone()[0])


def _storable(text: str) -> str:
    """Give a text with an escape for each byte of a file's name that is no text, which SQLite refuses."""
    return text.encode(errors="backslashreplace").decode()
