"""What an engine that was killed had half written, where the database has a rollback journal: on network file systems.

There a reader that must not write cannot read on; a write-ahead log, as on local disks, needs nothing of this.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path


def is_unfinished(database: Path) -> bool:
    """Whether a transaction is under way, or was when its engine was killed."""
    journal = database.with_name(f"{database.name}-journal")
    return journal.exists() and journal.stat().st_size > 0


def take_back(database: Path) -> None:
    """Put the database back to what it was before the transaction; for whoever holds the session's lock.

    Raises
    ------
    sqlite3.Error
        If it cannot be written.
    """
    address = f"{database.absolute().as_uri()}?mode=rw"
    with closing(sqlite3.connect(address, uri=True, timeout=10, isolation_level=None)) as connection:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
