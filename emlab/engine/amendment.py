"""What a person changes in a session: in its engine where one runs, else in its database."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

from emlab.engine.control import send_command
from emlab.engine.lock import SessionLock, is_locked
from emlab.engine.mount import journal_mode
from emlab.engine.retrial import record_retrials, retrials
from emlab.engine.revision import record_revisions, revised
from emlab.sets import Catalogue, Ledger, Verdict


def judge(folder: Path, keys: list[str], verdict: Verdict, note: str, author: str) -> None:
    """Record what a person decided or noted about items.

    Raises
    ------
    SessionError
        If the session cannot be changed from here.
    """
    if is_locked(folder):
        send_command(folder, "judge", keys=keys, verdict=verdict, note=note, author=author)
        return
    with _Alone(folder) as ledger, ledger.transaction():
        for key in keys:
            ledger.add_judgement(key, verdict, note, author)


def acknowledge(folder: Path, alarm: str, author: str) -> None:
    """Record that a person knows of an alarm.

    Raises
    ------
    SessionError
        If the session cannot be changed from here.
    """
    if is_locked(folder):
        send_command(folder, "acknowledge", alarm=alarm, author=author)
        return
    with _Alone(folder) as ledger, ledger.transaction():
        ledger.add_command("acknowledge", {"alarm": alarm, "author": author})


def change(folder: Path, step: str, changes: dict[str, Any]) -> list[str]:
    """Give a step other parameters, and the names of the new runs.

    Raises
    ------
    SessionError, ParameterError
        See `revised`; or if the session cannot be changed from here.
    """
    if is_locked(folder):
        return list(send_command(folder, "change", step=step, changes=changes)["runs"])
    with _Alone(folder) as ledger, closing(Catalogue(folder / "session.db")) as catalogue:
        revisions = revised(catalogue, step, changes)
        record_revisions(ledger, revisions)
        with ledger.transaction():
            ledger.add_command("change", {"step": step, "changes": changes})
        return [revision.new.name for revision in revisions]


def retry(folder: Path, step: str | None, keys: list[str], author: str) -> int:
    """Offer again what was given up, and say how many items that is.

    Raises
    ------
    SessionError
        See `retrials`; or if the session cannot be changed from here.
    """
    if is_locked(folder):
        return int(send_command(folder, "retry", step=step, keys=keys, author=author)["retried"])
    with _Alone(folder) as ledger, closing(Catalogue(folder / "session.db")) as catalogue:
        found = retrials(catalogue, step, keys)
        record_retrials(ledger, found, author)
        return sum(len(retrial.keys) for retrial in found)


class _Alone:
    """The session's database, open for writing while no engine can start."""

    def __init__(self, folder: Path) -> None:
        self._lock = SessionLock(folder)
        self._ledger = Ledger(folder / "session.db", journal_mode(folder))

    def __enter__(self) -> Ledger:
        return self._ledger

    def __exit__(self, *_: object) -> None:
        self._ledger.close()
        self._lock.release()
