"""What a person restores goes on to the steps behind the selection, once, whenever that is asked for."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from emlab.creation import create_session
from emlab.engine.executors import InlineExecutor
from emlab.engine.runner import Engine
from emlab.engine.task import Outcome
from emlab.model import Protocol
from emlab.monitors import Items
from emlab.monitors.overview import Overviewer
from emlab.repair import repair_session
from emlab.session import Session, open_session
from emlab.sets import Ledger

Create = Callable[..., Session]
REJECTED = ("m1", "m3", "m4")
STEPS = ("ctf", "select", "pick")


@pytest.fixture
def create(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, toys: dict[str, Protocol], any_file: None
) -> Iterator[Create]:
    """A session of files ``m0`` to ``m5``, of which the selection rejects three."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setattr("emlab.engine.runner.IDLE", 0.01)
    monkeypatch.setattr("emlab.engine.runner.GRACE", 0.1)
    folder = tmp_path / "files"
    folder.mkdir()
    for number in range(6):
        (folder / f"m{number}.txt").write_text("reject" if f"m{number}" in REJECTED else "good")
        os.utime(folder / f"m{number}.txt", (number, number))
    sessions = []

    def made(steps: tuple[str, ...] = STEPS, **parameters: Any) -> Session:
        watched = {"folder": str(folder), "settle_time": 0, "expected_count": 6, **parameters}
        protocols: list[dict[str, Any]] = [{"name": "import", "protocol": "toy_import", "parameters": watched}]
        protocols += [{"name": name, "protocol": f"toy_{name}"} for name in steps]
        (tmp_path / "toy.json").write_text(json.dumps({"name": "toy", "title": "Toy", "protocols": protocols}))
        sessions.append(create_session(tmp_path / "session", tmp_path / "toy.json"))
        return sessions[-1]

    yield made
    for session in sessions:
        session.close()


def executor(held: set[str]) -> Callable[[], InlineExecutor]:
    """Makes an executor that holds back what these runs make."""

    class Holding(InlineExecutor):
        kept: list[Outcome] = []  # noqa: RUF012

        def collect(self) -> list[Outcome]:
            found = [*self.kept, *super().collect()]
            self.kept = [outcome for outcome in found if outcome.task.run in held]
            return [outcome for outcome in found if outcome.task.run not in held]

    return Holding


def run(session: Session, held: set[str] | None = None, *, watch: bool = True) -> None:
    Engine(session.path, executor(held or set()), watch=watch).run()


def started(session: Session, held: set[str] | None = None) -> threading.Thread:
    thread = threading.Thread(target=run, args=(session, held), daemon=True)
    thread.start()
    return thread


def until(session: Session, condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, session
        session.wait(0.05)


def picked(session: Session, name: str = "picks") -> list[str]:
    return [record.key for record in session[name]]


def test_a_running_session_picks_what_is_restored(create: Create) -> None:
    """Once, though it is restored again and again, before, while and after it is picked."""
    session = create(expected_count=7)
    held = {"pick"}
    thread = started(session, held)
    until(session, lambda: len(session["rejected"]) == 3 and len(session["accepted"]) == 3)
    session.restore("m3")
    session.reject("m3")
    session.restore(["m3", "m0"])
    held.clear()
    until(session, lambda: len(session["picks"]) == 4)
    session.restore("m3", "once more")
    session.restore("m1")
    session.stop()
    thread.join(30)
    assert session.state == "finished"
    assert picked(session) == ["m0", "m2", "m5", "m3", "m1"]
    assert picked(session, "accepted") == ["m0", "m2", "m5"]
    assert picked(session, "rejected") == list(REJECTED)
    assert session["picks"].reason == "5 items done"
    assert not session.failures()
    overview = Overviewer(session, Items(session)).update()
    assert [(stage.name, stage.available, stage.done, stage.waiting) for stage in overview.stages][-1] == (
        "pick",
        5,
        5,
        0,
    )
    assert (overview.finished, overview.waiting) == (6, 0)


def test_sets_that_were_closed_open_again(create: Create) -> None:
    session = create()
    held = {"pick"}
    thread = started(session, held)
    until(session, lambda: not session["accepted"].is_open)
    session.restore("m4")
    held.clear()
    thread.join(30)
    assert sorted(picked(session)) == ["m0", "m2", "m4", "m5"]


def test_what_is_restored_before_it_is_decided_goes_on(create: Create) -> None:
    session = create(expected_count=7)
    held = {"select"}
    thread = started(session, held)
    until(session, lambda: len(session["ctfs"]) == 6)
    session.restore("m4")
    held.clear()
    until(session, lambda: len(session["picks"]) == 4)
    session.stop()
    thread.join(30)
    assert sorted(picked(session)) == ["m0", "m2", "m4", "m5"]


@pytest.mark.parametrize("verdicts", [("restored",), ("restored", "noted"), ("rejected", "restored")])
def test_a_finished_session_is_started_for_it_and_no_more(
    create: Create, monkeypatch: pytest.MonkeyPatch, verdicts: tuple[str, ...]
) -> None:
    session = create()
    run(session)
    watches = []

    def start(session: Session, *, watch: bool) -> None:
        watches.append(watch)
        run(session, watch=watch)

    monkeypatch.setattr(Session, "start", start)
    say = {"restored": session.restore, "rejected": session.reject, "noted": session.annotate}
    for verdict in verdicts:
        say[verdict]("m4", "because")
    assert picked(session) == ["m0", "m2", "m5", "m4"]
    session.restore(["m4", "m0"])
    assert watches == [False]
    assert session.state == "finished"
    assert session["picks"].reason == "4 items done"


def test_what_was_given_up_starts_no_engine(create: Create, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is tried again where somebody asks for that."""
    session = create()
    run(session)
    with closing(Ledger(session.path / "session.db")) as ledger, ledger.transaction():
        ledger.add_failure("pick", "m4", attempt=3, final=True, error="DataError", message="blank", traceback="")
    monkeypatch.setattr(Session, "start", lambda session, *, watch: pytest.fail("there is nothing to do"))
    assert not session.restore("m4")


def test_the_next_engine_knows_what_was_restored_and_what_was_rejected_again(create: Create) -> None:
    session = create(expected_count=7)
    held = {"pick"}
    thread = started(session, held)
    until(session, lambda: len(session["rejected"]) == 3)
    session.restore(["m1", "m3"])
    session.reject("m3")
    session.stop(now=True)
    thread.join(30)
    assert session.state == "stopped"
    assert picked(session) == []
    run(session, watch=False)
    assert sorted(picked(session)) == ["m0", "m1", "m2", "m5"]


def test_a_selection_made_anew_heeds_it_too(create: Create) -> None:
    session = create(expected_count=7)
    thread = started(session)
    until(session, lambda: len(session["picks"]) == 3)
    session.restore("m4")
    session.change("select", word="good")
    until(session, lambda: len(session["picks-2"]) == 3)
    session.restore("m0")
    session.stop()
    thread.join(30)
    assert sorted(picked(session, "accepted-2")) == list(REJECTED)
    assert sorted(picked(session, "picks-2")) == ["m0", *REJECTED]


def gathered(session: Session) -> str:
    """What a fold that stands on the selection has taken, batch by batch."""
    return session["picks"][-1].coordinates


def lose(database: Path, key: str) -> None:
    """Break a page of the database, and take a rejected item's row out of it."""
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("DELETE FROM rejected WHERE key = ?", (key,))
        ((page,),) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'event'")
        ((size,),) = connection.execute("PRAGMA page_size")
    with database.open("r+b") as file:
        file.seek(size * (page - 1))
        file.write(b"\xff" * size)


def test_a_fold_takes_what_is_restored_before_and_after_it_is_decided(create: Create) -> None:
    session = create(("ctf", "select", "gather"), expected_count=7)
    held = {"select"}
    thread = started(session, held)
    until(session, lambda: len(session["ctfs"]) == 6)
    session.restore("m4")
    held.clear()
    until(session, lambda: len(session["picks"]) == 2)
    assert gathered(session) == "[m0 m2][m5 m4]"
    session.restore(["m3", "m4"])
    session.restore(["m1", "m3"])
    session.stop()
    thread.join(30)
    assert gathered(session) == "[m0 m2][m5 m4][m3 m1]"
    assert [(batch.first, batch.stop, batch.restored) for batch in session.batches()][:2] == [
        (0, 2, ()),
        (2, 3, ("m4",)),
    ]
    (stage,) = (stage for stage in Overviewer(session, Items(session)).update().stages if stage.name == "gather")
    assert (stage.available, stage.done, stage.waiting) == (6, 6, 0)


def test_a_fold_of_a_finished_session_takes_it_once(create: Create, monkeypatch: pytest.MonkeyPatch) -> None:
    session = create(("ctf", "select", "gather"))
    run(session)
    starts = []

    def start(session: Session, *, watch: bool) -> None:
        starts.append(watch)
        run(session, watch=watch)

    monkeypatch.setattr(Session, "start", start)
    session.restore("m4")
    assert gathered(session) == "[m0 m2][m5][m4]"
    assert not session.restore(["m4", "m0"])
    session.reject("m4")
    run(session)
    session.restore(["m4", "m1"])
    assert gathered(session) == "[m0 m2][m5][m4][m1]"
    assert starts == [False, False]
    assert session["picks"].reason == "4 items done"


@pytest.mark.parametrize(("is_damaged", "batches"), [(False, "[m0 m2][m5 m3][m1 m4]"), (True, "[m0 m2][m5 m3][m4 m1]")])
def test_a_batch_with_what_was_restored_is_begun_again_as_it_was(
    create: Create, is_damaged: bool, batches: str
) -> None:
    """But where a database lost what was restored: then all is folded anew."""
    session = create(("ctf", "select", "gather"), expected_count=7)
    held = {"gather"}
    thread = started(session, held)
    until(session, lambda: len(session["rejected"]) == 3 and len(session.batches()) == 1)
    session.restore("m3")
    held.clear()
    until(session, lambda: len(session["picks"]) == 2)
    held.add("gather")
    session.restore(["m1", "m4"])
    until(session, lambda: len(session.batches()) == 3)
    session.stop(now=True)
    thread.join(30)
    assert len(session["picks"]) == 2
    if is_damaged:
        lose(session.path / "session.db", "m1")
        repair_session(session.path)
    run(session, watch=False)
    with open_session(session.path) as again:
        assert gathered(again) == batches
        assert len(again.batches()) == 3
