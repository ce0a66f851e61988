"""What a person restores goes on to the steps behind the selection, once, whenever that is asked for."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
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
from emlab.session import Session

Create = Callable[..., Session]
REJECTED = ("m1", "m3", "m4")
STEPS = [{"name": name, "protocol": f"toy_{name}"} for name in ("ctf", "select", "pick")]


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

    def made(**parameters: Any) -> Session:
        watched = {"folder": str(folder), "settle_time": 0, "expected_count": 6, **parameters}
        protocols = [{"name": "import", "protocol": "toy_import", "parameters": watched}, *STEPS]
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
