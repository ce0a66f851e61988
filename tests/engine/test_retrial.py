"""What was given up is tried again when somebody asks for it: nothing is lost by that, and nothing done twice."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from emlab.creation import create_session
from emlab.engine.amendment import retry
from emlab.engine.backlog import ATTEMPTS
from emlab.engine.executors import InlineExecutor
from emlab.engine.runner import Engine
from emlab.engine.task import Outcome, Trouble
from emlab.errors import SessionError
from emlab.model import Protocol
from emlab.monitors.stages import Stages
from emlab.session import Session

FILES = 8
Create = Callable[..., Session]
Struck = set[tuple[str, str]]


@pytest.fixture
def create(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, toys: dict[str, Protocol], any_file: None
) -> Iterator[Create]:
    """A session of files ``m0`` to ``m7``, which are imported, and then go through the steps that are named."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setattr("emlab.engine.harvest.RETRY_AFTER", 1e-9)
    folder = tmp_path / "files"
    folder.mkdir()
    for number in range(FILES):
        (folder / f"m{number}.txt").write_text("good")
        os.utime(folder / f"m{number}.txt", (number, number))
    sessions = []

    def made(*steps: dict[str, Any], **parameters: Any) -> Session:
        watched = {"folder": str(folder), "settle_time": 0, "expected_count": FILES, **parameters}
        protocols = [{"name": "import", "protocol": "toy_import", "parameters": watched}, *steps]
        (tmp_path / "toy.json").write_text(json.dumps({"name": "toy", "title": "Toy", "protocols": protocols}))
        sessions.append(create_session(tmp_path / "session", tmp_path / "toy.json"))
        return sessions[-1]

    yield made
    for session in sessions:
        session.close()


CTF = {"name": "ctf", "protocol": "toy_ctf"}
SELECT = {"name": "select", "protocol": "toy_select"}
FOLD = {"name": "fold", "protocol": "toy_fold", "parameters": {"size": 3}}


def executor(struck: Struck, held: set[str]) -> Callable[[], InlineExecutor]:
    """Makes an executor on which an outage befalls the items that are struck, and what runs make is held back."""

    class Unlucky(InlineExecutor):
        kept: list[Outcome] = []  # noqa: RUF012

        def collect(self) -> list[Outcome]:
            found = [*self.kept, *super().collect()]
            self.kept = [outcome for outcome in found if outcome.task.run in held]
            trouble = Trouble("Outage", "the server is away", "", retry=True, cause="outage")
            return [
                replace(outcome, record=None, trouble=trouble)
                if (outcome.task.run, outcome.task.key) in struck
                else outcome
                for outcome in found
                if outcome.task.run not in held
            ]

    return Unlucky


def run(session: Session, struck: Struck | None = None, held: set[str] | None = None, *, watch: bool = True) -> None:
    Engine(session.path, executor(struck or set(), held or set()), watch=watch).run()


def numbered(session: Session, name: str) -> list[tuple[int, str]]:
    return [(number, record.key) for number, record in enumerate(session[name])]


def given_up(session: Session) -> list[str]:
    return sorted(failure.key for failure in session.failures() if failure.final)


def test_a_running_session_does_what_it_had_given_up(create: Create, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some of its sets had been closed, those before and behind that one among them."""
    monkeypatch.setattr("emlab.engine.runner.IDLE", 0.01)
    session = create(CTF, SELECT, FOLD)
    struck, held = {("ctf", "m2"), ("ctf", "m5")}, {"fold"}
    monitor = Stages(session)
    thread = threading.Thread(target=run, args=(session, struck, held), daemon=True)
    thread.start()
    while session["select.accepted"].is_open:
        session.wait(0.05)
    before = numbered(session, "ctfs")
    assert monitor.update()[1].failed == 2
    assert session["ctfs"].reason == "6 items done, 2 failed"
    struck.clear()
    assert session.retry() == 2
    assert session["ctfs"].is_open
    assert session["select.accepted"].is_open
    assert session.retry() == 0
    held.clear()
    thread.join(30)
    assert session.state == "finished"
    assert numbered(session, "ctfs") == [*before, (6, "m2"), (7, "m5")]
    assert len({record.key for record in session["select.accepted"]}) == len(session["select.accepted"]) == FILES
    assert given_up(session) == []
    assert len(session.failures()) == 2 * ATTEMPTS["outage"]
    (asked,) = session.retries()
    assert (asked.run, sorted(asked.keys)) == ("ctf", ["m2", "m5"])
    assert asked.author
    stage = monitor.update()[1]
    assert (stage.done, stage.failed, stage.waiting) == (FILES, 0, 0)
    assert session["ctfs"].reason == "8 items done"


def test_a_finished_session_is_started_for_what_is_asked_for_and_no_more(
    create: Create, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = create(CTF, SELECT)
    run(session, {("ctf", "m2"), ("ctf", "m5"), ("select", "m7")})
    before = numbered(session, "accepted")
    monitor = Stages(session)
    assert [stage.failed for stage in monitor.update()] == [0, 2, 1]
    watches = []

    def start(session: Session, *, watch: bool) -> None:
        watches.append(watch)
        run(session, {("ctf", "m5")}, watch=watch)

    monkeypatch.setattr(Session, "start", start)
    assert session.retry("ctf", "m2") == 1
    assert [stage.failed for stage in monitor.update()] == [0, 1, 1]
    assert numbered(session, "accepted") == [*before, (5, "m2")]
    assert given_up(session) == ["m5", "m7"]
    assert session.retry() == 2
    assert numbered(session, "accepted") == [*before, (5, "m2"), (6, "m7")]
    assert given_up(session) == ["m5"]
    assert session.state == "finished"
    assert session["ctfs"].reason == "7 items done, 1 failed"
    assert watches == [False, False]
    assert [asked.keys for asked in session.retries()] == [("m2",), ("m5",), ("m7",)]


@pytest.mark.parametrize("again", [set(), {("fold", "batch_0001")}])
def test_batches_of_a_fold_are_folded_after_those_that_came_later(create: Create, again: Struck) -> None:
    """An engine that ends in between forgets none of them."""
    session = create(FOLD)
    run(session, {("fold", "batch_0001"), ("fold", "batch_0002")})
    monitor = Stages(session)
    assert (monitor.update()[1].done, monitor.update()[1].failed) == (2, 6)
    assert retry(session.path, "fold", [], "somebody") == 2
    assert (monitor.update()[1].failed, monitor.update()[1].waiting) == (0, 6)
    run(session, again, watch=False)
    batches = {batch.key: [f"m{number}" for number in range(batch.first, batch.stop)] for batch in session.batches()}
    assert list(batches) == ["batch_0001", "batch_0002", "batch_0003"]
    order = ["batch_0003", *(key for key in ("batch_0001", "batch_0002") if ("fold", key) not in again)]
    assert [record.key for record in session["accepted"]] == order
    assert session["accepted"][-1].reason == "".join(f"[{' '.join(batches[key])}]" for key in order)
    stage = monitor.update()[1]
    assert (stage.done, stage.failed, stage.waiting) == ((5, 3, 0) if again else (8, 0, 0))


def test_a_batch_is_folded_again_in_a_session_that_runs(create: Create, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emlab.engine.runner.IDLE", 0.01)
    session = create(CTF, FOLD)
    struck, held = {("fold", "batch_0001")}, {"ctf"}
    thread = threading.Thread(target=run, args=(session, struck, held), daemon=True)
    thread.start()
    while session["accepted"].is_open:
        session.wait(0.05)
    struck.clear()
    assert session.retry("fold") == 1
    held.clear()
    thread.join(30)
    assert [record.key for record in session["accepted"]] == ["batch_0002", "batch_0003", "batch_0001"]
    assert session["accepted"][-1].reason == "[m3 m4 m5][m6 m7][m0 m1 m2]"


def test_what_another_run_took_the_place_of_is_left(create: Create, monkeypatch: pytest.MonkeyPatch) -> None:
    session = create(CTF, SELECT)
    run(session, {("select", "m2")})
    monkeypatch.setattr(Session, "start", lambda session, watch: run(session, watch=watch))
    session.change("select", word="nothing")
    assert session.retry() == 0
    assert session.retries() == []
    assert len(session["select.accepted"]) == FILES - 1
    assert len(session["accepted"]) == FILES


def test_a_file_that_was_never_whole_is_left_to_the_watcher(create: Create, tmp_path: Path) -> None:
    session = create(CTF, expected_count=FILES + 1, idle_timeout=0.2)
    (tmp_path / "files" / "late.txt").touch()
    run(session)
    assert given_up(session) == ["late"]
    assert session.retry() == 0
    (tmp_path / "files" / "late.txt").write_text("good")
    os.utime(tmp_path / "files" / "late.txt", (0, 0))
    run(session)
    assert given_up(session) == []
    assert len(session["ctfs"]) == FILES + 1


@pytest.mark.parametrize(
    ("step", "keys", "says"),
    [
        ("pick", [], "There is no step 'pick'; there are: import, ctf"),
        (None, ["m2", "m1"], "The session has no failed item m1"),
        ("import", "m2", "import has no failed item m2"),
    ],
)
def test_what_cannot_be_tried_again_is_said(create: Create, step: str | None, keys: Any, says: str) -> None:
    session = create(CTF)
    run(session, {("ctf", "m2")})
    with pytest.raises(SessionError, match=says):
        session.retry(step, keys)
    assert given_up(session) == ["m2"]
    assert session.retries() == []
