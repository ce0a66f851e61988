"""What can still be read of a damaged database: all but the rows on broken pages."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from emlab.errors import SessionDamaged

Row = dict[str, Any]

_ROW = 200
"""Bytes that a record takes at least, to know how many a file can have."""


def check_database(path: Path) -> None:
    """See that no page of a database is broken, as far as their structure tells; reads all of it.

    For whoever holds the session's lock: a database that was left in the middle of something is put in order.

    Raises
    ------
    SessionDamaged
        If one is.
    """
    try:
        with closing(_connect(path, "rw")) as connection:
            (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        if is_of_damage(error):
            raise damaged(path, error) from error
        raise
    if verdict != "ok":
        raise damaged(path, verdict)


def is_of_damage(error: sqlite3.Error) -> bool:
    """Whether an error means a broken page, or no database at all; SQLite says so of a disk's read error too."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def damaged(path: Path, what: object) -> SessionDamaged:
    """What to tell of a broken database."""
    return SessionDamaged(
        f"The database {path} is damaged ({what}). `emlab repair {path.parent}` keeps what can still be read, and the "
        "rest is processed again."
    )


class Salvage:
    """A damaged database, read around its broken pages; a context manager.

    Parameters
    ----------
    path
        The database's file. Nobody may be writing to it; its write-ahead log is read too.
    """

    def __init__(self, path: Path) -> None:
        self._connection = _connect(path)
        self._most = path.stat().st_size // _ROW

    def meta(self) -> dict[str, str]:
        """The session's own facts."""
        try:
            return dict(self._connection.execute("SELECT name, value FROM meta").fetchall())
        except sqlite3.DatabaseError:
            return {}

    def rows(self, table: str) -> Iterator[Row]:
        """Each row of a table of the catalogue that can be read, in the order in which they were written."""
        return self._between(table, "rowid", 1, self._last(f"SELECT max(rowid) FROM {table}"))

    def records(self, kind: str, set_id: int) -> Iterator[Row]:
        """Each row of a set that can be read, in its order."""
        return self._between(kind, f"set_id = {set_id} AND number", 0, self.length(kind, set_id) - 1)

    def length(self, kind: str, set_id: int) -> int:
        """How many records a set had."""
        newest = f"SELECT max(number) + 1 FROM {kind} WHERE set_id = {set_id}"
        # The second finds it in the index of the keys.
        return self._last(newest, f"{newest} AND key > ''")

    def _last(self, *queries: str) -> int:
        for query in queries:
            try:
                return self._connection.execute(query).fetchone()[0] or 0
            except sqlite3.DatabaseError:
                continue
        return self._most

    def _between(self, table: str, place: str, first: int, last: int) -> Iterator[Row]:
        """Halve what cannot be read at once, until what is left is a row that cannot be read at all."""
        if first > last:
            return
        query = f"SELECT * FROM {table} WHERE {place} BETWEEN ? AND ? ORDER BY {place.rpartition(' ')[2]}"
        try:
            cursor = self._connection.execute(query, (first, last))
            columns = [column[0] for column in cursor.description]
            rows = cursor.fetchall()
        except sqlite3.DatabaseError:
            middle = first + (last - first) // 2
            if first < last:
                yield from self._between(table, place, first, middle)
                yield from self._between(table, place, middle + 1, last)
        else:
            yield from (dict(zip(columns, row, strict=True)) for row in rows)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()


def _connect(path: Path, mode: str = "ro") -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=10, isolation_level=None)
