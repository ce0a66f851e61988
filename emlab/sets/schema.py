"""How records lie in SQLite: one table per kind, one typed column per field."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Collection
from dataclasses import fields
from functools import cache
from operator import attrgetter
from typing import Any

import numpy as np

from emlab.model import RECORDS, Record
from emlab.sets.entries import Provenance

VERSION = 3
"""Of the tables below, and of what records must have; a database of another version is refused."""

CATALOGUE = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE run (
    id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL, protocol TEXT NOT NULL, parameters TEXT NOT NULL,
    inputs TEXT NOT NULL, digest TEXT NOT NULL, version TEXT NOT NULL, created_at REAL NOT NULL,
    superseded_by TEXT
);
CREATE TABLE collection (
    id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL, run_id INTEGER NOT NULL REFERENCES run, kind TEXT NOT NULL,
    status TEXT, reason TEXT, closed_at REAL
);
CREATE TABLE failure (
    number INTEGER PRIMARY KEY, run_id INTEGER NOT NULL REFERENCES run, key TEXT NOT NULL, attempt INTEGER NOT NULL,
    final INTEGER NOT NULL, error TEXT NOT NULL, message TEXT NOT NULL, traceback TEXT NOT NULL, at REAL NOT NULL
);
CREATE INDEX failure_by_item ON failure (run_id, key);
CREATE TABLE event (
    number INTEGER PRIMARY KEY, at REAL NOT NULL, level TEXT NOT NULL, message TEXT NOT NULL,
    run_id INTEGER REFERENCES run, key TEXT
);
CREATE TABLE judgement (
    number INTEGER PRIMARY KEY, at REAL NOT NULL, key TEXT NOT NULL, verdict TEXT NOT NULL, note TEXT NOT NULL,
    author TEXT NOT NULL
);
CREATE TABLE batch (
    number INTEGER PRIMARY KEY, run_id INTEGER NOT NULL REFERENCES run, key TEXT NOT NULL, first INTEGER NOT NULL,
    stop INTEGER NOT NULL, restored TEXT NOT NULL, UNIQUE (run_id, key)
);
CREATE TABLE command (number INTEGER PRIMARY KEY, at REAL NOT NULL, name TEXT NOT NULL, arguments TEXT NOT NULL);
"""

PROVENANCE = {
    "recorded_at": "REAL NOT NULL",
    "seconds": "REAL",
    "cpu_seconds": "REAL",
    "latency": "REAL",
    "worker": "TEXT",
    "device": "TEXT",
    "attempt": "INTEGER NOT NULL",
}
"""Columns of every kind's table beside the record's own."""

_SQL_TYPES: dict[object, str] = {
    str: "TEXT",
    int: "INTEGER",
    bool: "INTEGER",
    float: "REAL",
    tuple[float, ...]: "BLOB",
}

_provenance = attrgetter(*PROVENANCE)
_STORED_AS_THEY_ARE = {type(None), bool, float, int, str}


@cache
def record_columns(kind: str) -> dict[str, object]:
    """The Python type of each field of a kind of record, by the field's name, ``| None`` taken off."""
    return {name: _bare(hint) for name, hint in _hints(RECORDS[kind]).items()}


def create_table(kind: str) -> str:
    """SQL that makes the table of a kind of record."""
    hints = _hints(RECORDS[kind])
    own = [
        f"{name} {_SQL_TYPES[_bare(hint)]}{'' if _bare(hint) is not hint else ' NOT NULL'}"
        for name, hint in hints.items()
    ]
    provenance = [f"{name} {declared}" for name, declared in PROVENANCE.items()]
    columns = ",\n    ".join(
        [
            "set_id INTEGER NOT NULL REFERENCES collection",
            "number INTEGER NOT NULL",
            *own,
            *provenance,
            "PRIMARY KEY (set_id, number)",
            "UNIQUE (set_id, key)",
        ]
    )
    return f"CREATE TABLE IF NOT EXISTS {kind} (\n    {columns}\n) WITHOUT ROWID"


def add_columns(kind: str, present: Collection[str]) -> list[str]:
    """SQL that adds to a table what an older emlab did not know; such fields have to be optional."""
    columns = record_columns(kind).items()
    return [f"ALTER TABLE {kind} ADD COLUMN {name} {_SQL_TYPES[hint]}" for name, hint in columns if name not in present]


@cache
def insert_row(kind: str) -> str:
    """SQL that adds one row, parameters in the order of `to_row`."""
    columns = ["set_id", "number", *record_columns(kind), *PROVENANCE]
    return f"INSERT INTO {kind} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"


def to_row(set_id: int, number: int, record: Record, provenance: Provenance) -> tuple[Any, ...]:
    """The values of a record's row."""
    values = _getter(record.kind)(record)
    own = [value if type(value) in _STORED_AS_THEY_ARE else to_column(value) for value in values]
    return (set_id, number, *own, *_provenance(provenance))


def to_column(value: Any) -> Any:
    """What SQLite stores for a field: a series of numbers as packed float32.

    Raises
    ------
    TypeError
        For a scalar of NumPy's, say, which SQLite would take for a series.
    """
    if isinstance(value, tuple):
        return np.asarray(value, np.float32).tobytes()
    if value is None or isinstance(value, str | int | float):
        return value
    raise TypeError(f"{value!r} is a {type(value).__name__}, not a str, int, float, bool or tuple of floats")


def from_column(value: Any, hint: object) -> Any:
    """The field that SQLite stored."""
    if value is None:
        return None
    if hint is bool:
        return bool(value)
    if isinstance(value, bytes):
        return tuple(np.frombuffer(value, np.float32).tolist())
    return value


def from_row(kind: str, row: tuple[Any, ...]) -> Record:
    """The record of a row that holds the columns of `record_columns`, in their order."""
    columns = record_columns(kind)
    values = {name: from_column(value, hint) for (name, hint), value in zip(columns.items(), row, strict=True)}
    return RECORDS[kind](**values)


@cache
def _getter(kind: str) -> Callable[[Record], tuple[Any, ...]]:
    return attrgetter(*record_columns(kind))


def _hints(record: type[Record]) -> dict[str, Any]:
    hints = typing.get_type_hints(record)
    return {field.name: hints[field.name] for field in fields(record)}


def _bare(hint: Any) -> Any:
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        (hint,) = (part for part in typing.get_args(hint) if part is not type(None))
    return hint
