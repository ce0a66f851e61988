"""Repairing a session whose database is damaged: what can be read is kept, the rest is done again."""

from __future__ import annotations

import json
import os
import shutil
import time
import uuid
from collections.abc import Collection, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, fields
from itertools import count
from pathlib import Path
from typing import Any

from emlab.engine.lock import SessionLock
from emlab.engine.mount import journal_mode
from emlab.engine.pipeline import build_stages
from emlab.errors import SessionDamaged, SessionError, SessionMissing
from emlab.model import Record
from emlab.protocols import PROTOCOLS
from emlab.session import DATABASE
from emlab.sets import Closing, Ledger, Provenance, Run
from emlab.sets.salvage import Row, Salvage, check_database
from emlab.sets.schema import from_row, record_columns
from emlab.version import __version__
from emlab.workflow import parse_workflow

_STORED: dict[object, type | tuple[type, ...]] = {str: str, int: int, bool: int, float: (int, float)}


@dataclass(frozen=True, kw_only=True)
class Repair:
    """What came of a repair.

    Attributes
    ----------
    damaged
        The damaged database; ``None`` if it was intact and nothing was done.
    kept, lost
        Numbers of records kept and lost; the items of lost ones are processed again. ``lost`` is ``None`` if not
        even the steps could be read.
    """

    damaged: Path | None
    kept: int = 0
    lost: int | None = 0


def repair_session(path: str | os.PathLike[str]) -> Repair:
    """Rebuild a damaged database from what can still be read; the damaged one stays beside it.

    A record is kept if its row can be read, its outputs are there, and its inputs are kept too. `Session.start` then
    redoes whatever is missing; if not even the steps can be read, it redoes everything, as the session's
    ``workflow.json`` says. Failures, events and people's decisions are kept as far as they can be read.

    Raises
    ------
    SessionMissing
        If there is no session.
    SessionBusy
        If an engine owns it.
    SessionError
        If its ``workflow.json`` is missing too.
    """
    folder = Path(path).absolute()
    database = folder / DATABASE
    if not database.is_file():
        raise SessionMissing(f"{folder} is not a session: it has no {DATABASE}.")
    lock = SessionLock(folder)
    try:
        check_database(database)
        return Repair(damaged=None)
    except SessionDamaged:
        return _rebuild(folder, database)
    finally:
        lock.release()


def _rebuild(folder: Path, database: Path) -> Repair:
    damaged = next(name for number in count(1) if not (name := folder / f"{DATABASE}.damaged-{number}").exists())
    log, rebuilt = database.with_name(f"{DATABASE}-wal"), folder / f"{DATABASE}.new"
    if log.exists():
        shutil.copy2(log, f"{damaged}-wal")
    shutil.copy2(database, damaged)
    rebuilt.unlink(missing_ok=True)
    with Salvage(damaged) as salvage:
        ledger = Ledger.create(rebuilt, {**_meta(folder), **salvage.meta()}, journal_mode(folder))
        with closing(ledger), ledger.transaction():
            kept, lost = _Rebuilding(folder, salvage, ledger).run()
            rest = "everything" if lost is None else f"the other {lost:,}"
            ledger.add_event(
                "warning",
                f"The database was damaged and has been repaired: {kept:,} records are kept, and {rest} will be made "
                f"again. The damaged one is {damaged.name}.",
            )
    log.unlink(missing_ok=True)
    if (journal := database.with_name(f"{DATABASE}-journal")).exists():
        journal.replace(f"{damaged}.journal")  # else it would be taken for the new one's
    database.with_name(f"{DATABASE}-shm").unlink(missing_ok=True)
    rebuilt.replace(database)
    return Repair(damaged=damaged, kept=kept, lost=lost)


def _meta(folder: Path) -> dict[str, str]:
    """What is taken for a fact that cannot be read."""
    return {
        "uuid": uuid.uuid4().hex,
        "name": folder.name,
        "created_at": repr(time.time()),
        "version": __version__,
        "state": "stopped",
        "workflow": _workflow(folder),
    }


def _workflow(folder: Path) -> str:
    try:
        return (folder / "workflow.json").read_text("utf-8")
    except OSError as error:
        raise SessionError(
            f"{folder} cannot be repaired: its workflow.json, which says what to do again, cannot be read ({error}). "
            "Put a copy there, or create a new session with the same movies."
        ) from error


class _Rebuilding:
    """From a damaged database into a new one."""

    def __init__(self, folder: Path, salvage: Salvage, ledger: Ledger) -> None:
        self._folder = folder
        self._salvage = salvage
        self._ledger = ledger
        self._sets = list(salvage.rows("collection"))
        self._runs = {row["id"]: row for row in salvage.rows("run")}
        self._batches: dict[int, list[Row]] = {run_id: [] for run_id in self._runs}
        for row in salvage.rows("batch"):
            self._batches.setdefault(row["run_id"], []).append(row)
        self._keys: dict[str, set[str]] = {}
        self._whole: set[str] = set()

    def run(self) -> tuple[int, int | None]:
        """Give how many records are kept, and how many are not."""
        if not self._runs or {row["run_id"] for row in self._sets} != set(self._runs):
            workflow = parse_workflow(_workflow(self._folder), str(self._folder))
            for stage in build_stages(workflow, PROTOCOLS):
                self._ledger.add_run(stage.to_run(), stage.kinds)
            self._ledger.set_meta("state", "stopped")
            return 0, None
        kept = lost = 0
        for run_id, row in self._runs.items():
            sets = [collection for collection in self._sets if collection["run_id"] == run_id]
            run = _run(row, sets)
            self._ledger.add_run(run, {collection["name"]: collection["kind"] for collection in sets})
            for collection in sets:
                there, gone = self._records(run, collection)
                kept, lost = kept + there, lost + gone
            if row["superseded_by"]:
                self._ledger.supersede(run.name, row["superseded_by"])
        for row in self._salvage.rows("failure"):
            maker = self._runs.get(row["run_id"])
            if maker is None or not PROTOCOLS[maker["protocol"]].is_fold or maker["name"] in self._whole:
                self._ledger.put_back("failure", row)
        for table in ("event", "judgement", "command"):
            for row in self._salvage.rows(table):
                self._ledger.put_back(table, row)
        for run_id, row in self._runs.items():
            for batch in self._batches[run_id] if row["name"] in self._whole else ():
                self._ledger.put_back("batch", batch)
        if lost:
            self._ledger.set_meta("state", "stopped")
        else:
            self._close_sets()
        return kept, lost

    def _close_sets(self) -> None:
        for row in self._sets:
            if row["status"] is not None:
                closing = Closing(status=row["status"], reason=row["reason"], at=row["closed_at"])
                self._ledger.close_set(row["name"], closing)

    def _records(self, run: Run, collection: Row) -> tuple[int, int]:
        name, kind = collection["name"], collection["kind"]
        sources = [source for source in run.inputs if source != name]
        is_fold = PROTOCOLS[run.protocol].is_fold
        found: dict[str, tuple[Record, Provenance]] = {}
        if not is_fold or self._whole.issuperset(self._beside(sources)):
            for row in self._salvage.records(kind, collection["id"]):
                has_sources = is_fold or all(row["key"] in self._keys[source] for source in sources)
                record = self._record(kind, row) if has_sources else None
                if record is not None:
                    found.setdefault(record.key, (record, Provenance(**{key: row[key] for key in _PROVENANCE})))
        length = self._salvage.length(kind, collection["id"])
        is_whole = len(found) == length and (not is_fold or self._has_batches(collection["run_id"], found))
        if is_fold and not is_whole:
            found.clear()  # each builds on the one before: it is folded anew
        for record, provenance in found.values():
            self._ledger.append(name, record, provenance)
        keys = self._keys[name] = set(found)
        if is_whole:
            self._whole |= {name, run.name} if is_fold else {name}
        return len(keys), max(0, length - len(keys))

    def _beside(self, sources: Iterable[str]) -> set[str]:
        """Sets that a fold takes records of: what a person restored is in another set of the same run."""
        makers = {row["run_id"] for row in self._sets if row["name"] in sources}
        return {row["name"] for row in self._sets if row["run_id"] in makers}

    def _has_batches(self, run_id: int, found: Collection[str]) -> bool:
        """Whether the batches of a fold are known one after the other, those of what was made of them among them."""
        batches = self._batches[run_id]
        follow = [0, *(row["stop"] for row in batches)][:-1] == [row["first"] for row in batches]
        return follow and {row["key"] for row in batches}.issuperset(found)

    def _record(self, kind: str, row: Row) -> Record | None:
        """The record of a row, if it is sound and what it names is there."""
        columns = record_columns(kind)
        values = tuple(row.get(name) for name in columns)
        typed = zip(values, columns.values(), strict=True)
        if not all(value is None or isinstance(value, _STORED.get(hint, bytes)) for value, hint in typed):
            return None
        if not all((self._folder / path).is_file() for path in _outputs(values)):
            return None
        try:
            return from_row(kind, values)
        except (TypeError, ValueError):
            return None


_PROVENANCE = [field.name for field in fields(Provenance)]


def _outputs(values: Iterable[Any]) -> Iterator[str]:
    return (value for value in values if isinstance(value, str) and value.startswith("outputs/"))


def _run(row: Row, sets: Iterable[Row]) -> Run:
    return Run(
        name=row["name"],
        protocol=row["protocol"],
        parameters=json.loads(row["parameters"]),
        inputs=tuple(json.loads(row["inputs"])),
        outputs={collection["kind"]: collection["name"] for collection in sets},
        digest=row["digest"],
        version=row["version"],
        created_at=row["created_at"],
        superseded_by=row["superseded_by"],
    )
