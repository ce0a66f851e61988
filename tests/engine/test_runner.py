"""A session runs to its end, whatever its files and its owner do."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from emlab.engine.control import send_command
from emlab.engine.executors import InlineExecutor
from emlab.engine.runner import Engine
from emlab.errors import SessionBusy
from emlab.model import Protocol
from emlab.session import Session, create_session

Run = Callable[[], None]


@pytest.fixture(autouse=True)
def runtime_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setattr("emlab.engine.runner.RETRY_AFTER", 0.01)


@pytest.fixture
def movies(tmp_path: Path) -> Path:
    folder = tmp_path / "movies"
    folder.mkdir()
    return folder


@pytest.fixture
def create(tmp_path: Path, movies: Path, toys: dict[str, Protocol]) -> Callable[..., Session]:
    def made(**parameters: Any) -> Session:
        workflow = {
            "name": "toy",
            "title": "Toy",
            "protocols": [
                {
                    "name": "import",
                    "protocol": "toy_import",
                    "parameters": {"folder": str(movies), "settle_time": 0, "idle_timeout": 60, **parameters},
                },
                {"name": "ctf", "protocol": "toy_ctf"},
                {"name": "select", "protocol": "toy_select"},
            ],
        }
        (tmp_path / "toy.json").write_text(json.dumps(workflow))
        return create_session(tmp_path / "session", tmp_path / "toy.json")

    return made


def engine(session: Session) -> Engine:
    return Engine(session.path, lambda: InlineExecutor(session.path))


@pytest.fixture(autouse=True)
def check_any_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """Toy files are of no format: each is complete once it has a text."""
    from emlab.engine import intake
    from emlab.formats.completeness import Completeness

    def check(path: Path) -> Completeness:
        return Completeness(state="complete" if path.stat().st_size else "growing", frames=1, message="")

    monkeypatch.setattr(
        intake.Watcher.__init__, "__kwdefaults__", {**intake.Watcher.__init__.__kwdefaults__, "check": check}
    )


def write(movies: Path, *texts: str, start: int = 0) -> None:
    for number, text in enumerate(texts, start):
        path = movies / f"movie_{number}.txt"
        path.write_text(text)
        os.utime(path, (0, 0))


def keys(session: Session, name: str) -> list[str]:
    return sorted(record.key for record in session[name])


def test_every_file_goes_through_every_stage(create: Callable[..., Session], movies: Path) -> None:
    write(movies, "good", "good", "reject")
    with create(expected_count=3) as session:
        engine(session).run()
        assert session.state == "finished"
        assert keys(session, "micrographs") == keys(session, "ctfs") == ["movie_0", "movie_1", "movie_2"]
        assert keys(session, "accepted") == ["movie_0", "movie_1"]
        assert keys(session, "rejected") == ["movie_2"]
        assert all(not found.is_open and found.status == "success" for found in session.sets.values())
        assert session["arrivals"].reason == "all 3 files that were expected have come"


def test_a_bad_file_fails_once_and_the_session_goes_on(create: Callable[..., Session], movies: Path) -> None:
    write(movies, "good", "bad", "good")
    with create(expected_count=3) as session:
        engine(session).run()
        assert keys(session, "ctfs") == ["movie_0", "movie_2"]
        (failure,) = session.failures()
        assert (failure.key, failure.error, failure.final, failure.attempt) == ("movie_1", "DataError", True, 1)
        assert failure.message == "the file says that it is bad"
        assert "toy_import" in failure.traceback
        assert session["micrographs"].reason == "2 items done, 1 failed"


def test_what_may_pass_is_tried_again(create: Callable[..., Session], movies: Path) -> None:
    write(movies, "crash")
    with create(expected_count=1) as session:
        engine(session).run()
        assert [(failure.attempt, failure.final) for failure in session.failures()] == [
            (1, False),
            (2, False),
            (3, True),
        ]


def test_a_file_that_is_mended_between_attempts_succeeds(
    create: Callable[..., Session], movies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(movies, "crash")
    with create(expected_count=1) as session:
        running = engine(session)
        delay = running._backlog.delay

        def mend(item: Any, until: float) -> None:
            write(movies, "good")
            delay(item, until)

        monkeypatch.setattr(running._backlog, "delay", mend)
        running.run()
        assert keys(session, "ctfs") == ["movie_0"]
        assert session["micrographs"].to_dataframe(columns=["attempt"])["attempt"].tolist() == [2]
        assert [failure.final for failure in session.failures()] == [False]


def test_an_idle_import_ends_and_says_why(create: Callable[..., Session], movies: Path) -> None:
    write(movies, "good")
    with create(idle_timeout=0.2) as session:
        engine(session).run()
        assert session["arrivals"].reason == "no new file for 0.2 s"
        assert keys(session, "accepted") == ["movie_0"]


def test_a_file_that_never_completes_is_a_failure_at_the_end(create: Callable[..., Session], movies: Path) -> None:
    write(movies, "good", "")
    with create(idle_timeout=0.2) as session:
        engine(session).run()
        assert [(failure.key, failure.final) for failure in session.failures()] == [("movie_1", True)]


@pytest.fixture
def in_thread() -> Iterator[Callable[[Session], threading.Thread]]:
    threads: list[tuple[str, threading.Thread]] = []

    def start(session: Session) -> threading.Thread:
        listening = threading.Event()

        def run() -> None:
            running = engine(session)
            listening.set()
            running.run()

        thread = threading.Thread(target=run)
        threads.append((session.uuid, thread))
        thread.start()
        assert listening.wait(30)
        send_command(session.uuid, "ping")
        return thread

    yield start
    for uuid, thread in threads:
        if thread.is_alive():
            send_command(uuid, "stop", now=True)
        thread.join()


def test_a_second_engine_is_refused(
    create: Callable[..., Session], movies: Path, in_thread: Callable[[Session], threading.Thread]
) -> None:
    with create() as session:
        in_thread(session)
        with pytest.raises(SessionBusy, match="is run by the engine with process id .* already; `emlab stop` ends it"):
            engine(session)


def test_pause_holds_items_and_resume_lets_them_go(
    create: Callable[..., Session], movies: Path, in_thread: Callable[[Session], threading.Thread]
) -> None:
    with create() as session:
        thread = in_thread(session)
        session.pause()
        assert session.state == "paused"
        write(movies, "good")
        assert next(session["arrivals"].follow(timeout=30)).key == "movie_0"
        assert len(session["micrographs"]) == 0
        session.resume()
        assert next(session["accepted"].follow(timeout=30)).key == "movie_0"
        session.stop()
        thread.join()
        assert session.state == "finished"
        assert session["arrivals"].reason == "ended by its owner"


def test_a_stopped_session_goes_on_where_it_was(
    create: Callable[..., Session], movies: Path, in_thread: Callable[[Session], threading.Thread]
) -> None:
    write(movies, "good", "bad")
    with create() as session:
        thread = in_thread(session)
        assert next(session["accepted"].follow(timeout=30)).key == "movie_0"
        session.stop(now=True)
        thread.join()
        assert (session.state, session["ctfs"].status) == ("stopped", "stopped")
        write(movies, "good", start=2)
        thread = in_thread(session)
        followed = session["accepted"].follow(timeout=30)
        assert [next(followed).key for _ in range(2)] == ["movie_0", "movie_2"]
        session.stop()
        thread.join()
        assert session.state == "finished"
        assert keys(session, "arrivals") == ["movie_0", "movie_1", "movie_2"]
        assert len(session.failures()) == 1


def test_a_full_disk_is_waited_for(
    create: Callable[..., Session], movies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first commits fail as SQLite fails on a full disk; nothing is lost, nothing twice."""
    monkeypatch.setattr("emlab.engine.runner.DISK_RETRY", 0.02)
    write(movies, "good", "good")
    with create(expected_count=2) as session:
        running = engine(session)
        append, left = running._ledger.append, [3]

        def fail(*arguments: Any) -> int:
            if left[0]:
                left[0] -= 1
                raise sqlite3.OperationalError("database or disk is full")
            return append(*arguments)

        monkeypatch.setattr(running._ledger, "append", fail)
        running.run()
        assert left == [0]
        assert keys(session, "accepted") == ["movie_0", "movie_1"]
