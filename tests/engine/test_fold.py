"""A fold takes its records in batches, each once, each with what the one before gave; whoever dies in between."""

from __future__ import annotations

import json
import os
import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from emlab.creation import create_session
from emlab.engine.executors import InlineExecutor
from emlab.engine.gathering import Gathering
from emlab.engine.pipeline import build_stages
from emlab.engine.runner import Engine
from emlab.model import Micrograph, Protocol
from emlab.monitors.stages import Stages
from emlab.session import Session
from emlab.sets import Batch, Ledger
from emlab.workflow import parse_workflow

Create = Callable[..., Session]


class Killed(BaseException):
    """What no handler of the engine catches, as nothing catches SIGKILL."""


@pytest.fixture
def create(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, toys: dict[str, Protocol]) -> Iterator[Create]:
    """A session of so many files, ``m0`` and on, each of which says ``good`` unless ``texts`` has other words."""
    from emlab.engine import intake
    from emlab.formats.completeness import Completeness

    def check(path: Path) -> Completeness:
        return Completeness(state="complete", frames=1, message="")

    defaults = {**intake.Watcher.__init__.__kwdefaults__, "check": check}
    monkeypatch.setattr(intake.Watcher.__init__, "__kwdefaults__", defaults)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setattr("emlab.engine.runner.IDLE", 0.01)
    sessions = []

    def made(files: int, texts: dict[int, str] | None = None, name: str = "session", **parameters: Any) -> Session:
        folder = tmp_path / f"{name}-files"
        folder.mkdir()
        write(folder, range(files), texts or {})
        watched = {"folder": str(folder), "settle_time": 0, "expected_count": files, **parameters}
        steps = [
            {"name": "import", "protocol": "toy_import", "parameters": watched},
            {"name": "fold", "protocol": "toy_fold", "parameters": {"size": 3}},
        ]
        (tmp_path / "toy.json").write_text(json.dumps({"name": "toy", "title": "Toy", "protocols": steps}))
        sessions.append(create_session(tmp_path / name, tmp_path / "toy.json"))
        return sessions[-1]

    yield made
    for session in sessions:
        session.close()


def write(folder: Path, numbers: range, texts: dict[int, str]) -> None:
    for number in numbers:
        path = folder / f"m{number}.txt"
        path.write_text(texts.get(number, "good"))
        os.utime(path, (number, number))


def run(session: Session, *, watch: bool = True) -> None:
    Engine(session.path, InlineExecutor, watch=watch).run()


def expected(session: Session, size: int = 3) -> str:
    """What a fold that took every micrograph once, in the set's order, has said in the end."""
    keys = [record.key for record in session["micrographs"]]
    return "".join(f"[{' '.join(keys[start : start + size])}]" for start in range(0, len(keys), size))


def test_batches_follow_each_other_and_the_last_is_what_is_left(create: Create) -> None:
    session = create(8)
    run(session)
    records = list(session["accepted"])
    assert [record.key for record in records] == ["batch_0001", "batch_0002", "batch_0003"]
    assert [record.reason.count("[") for record in records] == [1, 2, 3]
    assert records[-1].reason == expected(session)
    assert [(batch.key, batch.first, batch.stop) for batch in session.batches()] == [
        ("batch_0001", 0, 3),
        ("batch_0002", 3, 6),
        ("batch_0003", 6, 8),
    ]
    assert session.batches(3) == [Batch(run="fold", key="batch_0003", first=6, stop=8, number=3)]
    assert session["accepted"].reason == "3 items done"


def test_monitors_count_what_went_into_batches(create: Create) -> None:
    session = create(8, {4: "poison"})
    run(session)
    stage = Stages(session).update()[-1]
    assert (stage.available, stage.done, stage.failed, stage.waiting) == (8, 5, 3, 0)


def test_a_batch_that_fails_is_on_record_and_the_next_goes_on_from_the_one_before(create: Create) -> None:
    session = create(8, {4: "poison"})
    run(session)
    keys = [record.key for record in session["micrographs"]]
    assert session["accepted"][-1].reason == f"[{' '.join(keys[:3])}][{' '.join(keys[6:])}]"
    assert [(failure.run, failure.key, failure.final) for failure in session.failures()] == [
        ("fold", "batch_0002", True)
    ]
    assert [(batch.first, batch.stop) for batch in session.batches()] == [(0, 3), (3, 6), (6, 8)]
    assert session["accepted"].reason == "2 items done, 1 failed"


@pytest.mark.parametrize("durable", [True, False])
@pytest.mark.parametrize("seed", range(2))
def test_killed_around_any_commit_nothing_is_lost_or_folded_twice(
    create: Create, monkeypatch: pytest.MonkeyPatch, seed: int, durable: bool
) -> None:
    """The engine dies just before or just after a commit, again and again, until it has nothing left to do."""
    session = create(11)
    whole = Ledger.transaction
    rng = random.Random(seed)
    left = 0

    @contextmanager
    def deadly(self: Ledger) -> Iterator[None]:
        nonlocal left
        left -= 1
        with whole(self):
            yield
            if left <= 0 and not durable:
                raise Killed
        if left <= 0:
            raise Killed

    monkeypatch.setattr(Ledger, "transaction", deadly)
    deaths = 0
    while session.state != "finished":
        left = rng.randint(2, 6)
        try:
            run(session)
        except Killed:
            deaths += 1
    assert deaths >= 3
    assert session["accepted"][-1].reason == expected(session)
    assert [record.key for record in session["accepted"]] == [batch.key for batch in session.batches()]
    assert len(session["micrographs"]) == 11


def test_a_session_that_goes_on_gathers_after_the_last_batch(create: Create) -> None:
    session = create(4)
    run(session)
    write(session.path.with_name("session-files"), range(4, 9), {})
    with closing(sqlite3.connect(session.path / "session.db")) as database, database:
        (text,) = database.execute("SELECT parameters FROM run WHERE name = 'import'").fetchone()
        parameters = {**json.loads(text), "expected_count": 9}
        database.execute("UPDATE run SET parameters = ? WHERE name = 'import'", (json.dumps(parameters),))
    run(session)
    keys = [record.key for record in session["micrographs"]]
    assert session["accepted"][-1].reason == "".join(
        f"[{' '.join(keys[first:stop])}]" for first, stop in ((0, 3), (3, 4), (4, 7), (7, 9))
    )


def test_with_another_size_of_batches_all_is_folded_anew(create: Create, monkeypatch: pytest.MonkeyPatch) -> None:
    session = create(8)
    run(session)
    monkeypatch.setattr(Session, "start", lambda session, watch: run(session, watch=watch))
    assert session.change("fold", size=5) == ["fold-2"]
    assert session["accepted"][-1].reason == expected(session, 5)
    assert session["fold.accepted"][-1].reason == expected(session, 3)
    assert [(batch.first, batch.stop) for batch in session.batches() if batch.run == "fold-2"] == [(0, 5), (5, 8)]


def test_ten_tenths_make_a_batch(toys: dict[str, Protocol]) -> None:
    steps = [
        {"name": "import", "protocol": "toy_import", "parameters": {"folder": "/data"}},
        {"name": "fold", "protocol": "toy_fold", "parameters": {"size": 10}},
    ]
    text = json.dumps({"name": "toy", "title": "Toy", "protocols": steps})
    gathering = Gathering(build_stages(parse_workflow(text, "toy.json"), toys)[-1])
    for number in range(9):
        gathering.add(number, object.__new__(Micrograph))
    assert gathering.take(is_last=False) is None
    gathering.add(9, object.__new__(Micrograph))
    taken = gathering.take(is_last=False)
    assert taken is not None
    assert (taken[0].first, taken[0].stop, len(taken[1]), len(gathering)) == (0, 10, 10, 0)
