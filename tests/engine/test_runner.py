"""A session runs to its end, whatever its files and its owner do."""

from __future__ import annotations

import json
import math
import os
import re
import select
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from emlab.creation import create_session
from emlab.engine.control import send_command
from emlab.engine.executors import InlineExecutor
from emlab.engine.intake import Intake
from emlab.engine.runner import Engine
from emlab.engine.task import Cause, Outcome, Trouble
from emlab.errors import SessionBusy, SessionError
from emlab.model import Arrival, Protocol
from emlab.monitors import Items, Overviewer
from emlab.session import Session

pytestmark = pytest.mark.usefixtures("any_file")

Run = Callable[[], None]


@pytest.fixture(autouse=True)
def runtime_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setattr("emlab.engine.harvest.RETRY_AFTER", 0.01)


@pytest.fixture
def movies(tmp_path: Path) -> Path:
    folder = tmp_path / "movies"
    folder.mkdir()
    return folder


@pytest.fixture
def create(tmp_path: Path, movies: Path, toys: dict[str, Protocol]) -> Callable[..., Session]:
    def made(*more: dict[str, Any], **parameters: Any) -> Session:
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
                *more,
            ],
        }
        (tmp_path / "toy.json").write_text(json.dumps(workflow))
        return create_session(tmp_path / "session", tmp_path / "toy.json")

    return made


def engine(session: Session) -> Engine:
    return Engine(session.path, InlineExecutor)


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
        assert session["arrivals"].reason == "all 3 expected files have come"


def test_what_was_rejected_holds_up_nothing_that_builds_on_the_selection(
    create: Callable[..., Session], movies: Path
) -> None:
    write(movies, "good", "reject", "good")
    with create({"name": "pick", "protocol": "toy_pick"}, expected_count=3) as session:
        engine(session).run()
        assert session.state == "finished"
        assert keys(session, "picks") == ["movie_0", "movie_2"]
        assert session["picks"].reason == "2 items done"
        again = engine(session)
        again._begin()
        assert again._backlog.progress["pick"].waiting == 0
        again._close()
        overview = Overviewer(session, Items(session)).update()
        assert (overview.finished, overview.waiting) == (3, 0)
        assert overview.pace == "Everything that has arrived is processed."


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


@pytest.mark.parametrize(
    ("causes", "last"),
    [
        (["outage"] * 5 + ["worker"] * 4 + ["item"] * 2, None),
        (["worker", "item", "worker", "item", "worker", "item"], "item"),
        (["item"] + ["worker"] * 5, "worker"),
        (["worker"] + ["outage"] * 9, "outage"),
    ],
)
def test_what_others_did_to_an_item_is_not_counted_as_its_own_fault(
    causes: list[Cause],
    last: Cause | None,
    create: Callable[..., Session],
    movies: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A disk that was away, then a worker that is killed once, once gave up a whole movie."""
    monkeypatch.setattr("emlab.engine.harvest.RETRY_AFTER", 1e-9)
    met: list[Cause] = []

    class Unlucky(InlineExecutor):
        def collect(self) -> list[Outcome]:
            outcomes = super().collect()
            for number, outcome in enumerate(outcomes):
                if outcome.task.run == "ctf" and len(met) < len(causes):
                    met.append(causes[len(met)])
                    trouble = Trouble("Blow", "somebody struck", "", retry=True, cause=met[-1])
                    outcomes[number] = replace(outcome, record=None, trouble=trouble)
            return outcomes

    write(movies, "good")
    with create(expected_count=1) as session:
        Engine(session.path, Unlucky).run()
        assert met == causes
        assert [failure.final for failure in session.failures()] == [False] * (len(causes) - 1) + [last is not None]
        assert keys(session, "ctfs") == ([] if last else ["movie_0"])


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
    threads: list[tuple[Session, threading.Thread]] = []

    def start(session: Session) -> threading.Thread:
        listening = threading.Event()

        def run() -> None:
            running = engine(session)
            listening.set()
            running.run()

        thread = threading.Thread(target=run)
        threads.append((session, thread))
        thread.start()
        assert listening.wait(30)
        send_command(session.path, "ping")
        return thread

    yield start
    for session, thread in threads:
        if thread.is_alive():
            send_command(session.path, "stop", now=True)
        thread.join()


def test_a_second_engine_is_refused(
    create: Callable[..., Session], movies: Path, in_thread: Callable[[Session], threading.Thread]
) -> None:
    with create() as session:
        in_thread(session)
        with pytest.raises(SessionBusy, match="is already run by the engine with process id .*; `emlab stop` ends it"):
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
        assert session["arrivals"].reason == "ended by the user"


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
    create: Callable[..., Session], movies: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The first commits fail as SQLite fails on a full disk; nothing is lost, nothing twice, and it is said once."""
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
        said = [record.message for record in caplog.records if record.name == "emlab.engine.scribe"]
        outage = [message for message in said if message.startswith("The database")]
        assert outage[0] == "The database cannot be written (database or disk is full): everything waits until it can."
        (told,) = [event.message for event in session.events() if "could not be written" in event.message]
        assert outage[1:] == [told]
        assert re.fullmatch(r"The database could not be written for .* \(database or disk is full\): .*", told)


def test_the_end_waits_for_a_full_disk_too(
    create: Callable[..., Session], movies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emlab.engine.runner.DISK_RETRY", 0.02)
    write(movies, "good")
    with create(expected_count=1) as session:
        running = engine(session)
        set_meta, left = running._ledger.set_meta, [1]

        def fail(name: str, value: str) -> None:
            if value == "finished" and left[0]:
                left[0] -= 1
                raise sqlite3.OperationalError("database or disk is full")
            set_meta(name, value)

        monkeypatch.setattr(running._ledger, "set_meta", fail)
        running.run()
        assert left == [0]
        assert session.state == "finished"


def test_what_has_to_be_written_first_is_refused_with_the_reason_that_it_cannot_be(
    create: Callable[..., Session], movies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with create(expected_count=1) as session:
        running = engine(session)

        def refuse(*_: Any) -> int:
            raise sqlite3.OperationalError("attempt to write a readonly database")

        with monkeypatch.context() as patch:
            patch.setattr(running._ledger, "add_event", refuse)
            running._scribe.note("info", "Something happened.")
            with pytest.raises(SessionError, match=r"cannot be written now \(attempt to write a readonly database\)"):
                running._write_out()
        running._close()


def test_an_engine_that_breaks_down_says_so_and_the_next_goes_on(
    create: Callable[..., Session], movies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(movies, "good")
    with create(expected_count=1) as session:
        running = engine(session)

        def refuse(*_: Any) -> int:
            raise sqlite3.IntegrityError("UNIQUE constraint failed")

        monkeypatch.setattr(running._ledger, "append", refuse)
        with pytest.raises(sqlite3.IntegrityError):
            running.run()
        assert session.state == "crashed"
        last = session.events()[-1]
        assert last.level == "error"
        assert "crashed; `emlab resume` continues. IntegrityError: UNIQUE constraint failed" in last.message
        engine(session).run()
        assert keys(session, "accepted") == ["movie_0"]


def test_a_session_that_is_over_takes_no_more_commands(
    create: Callable[..., Session], movies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the last report is written: a pause would leave it paused for ever, a resume would be lost."""
    write(movies, "good")
    with create(expected_count=1) as session:
        running = engine(session)
        replies: list[dict[str, Any]] = []

        def attend(now: float, recorded: int, *, last: bool = False) -> list[str]:
            if last:
                replies.extend(running._commands.answer({"command": name}) for name in ("pause", "resume", "stop"))
            return []

        monkeypatch.setattr(running._housekeeping, "attend", attend)
        running.run()
        assert session.state == "finished"
        assert replies[:2] == [
            {"error": f"the engine is ending; {name} the session once it has ended (see `emlab status`)"}
            for name in ("pause", "resume")
        ]
        assert replies[2] == {"state": "finished"}


def test_a_resume_that_comes_too_late_is_refused_and_not_lost(create: Callable[..., Session], movies: Path) -> None:
    with create() as session:
        running = engine(session)
        running.stop()
        running._scribe.set_state("running")
        assert "error" in running._commands.answer({"command": "resume"})
        running.run()
        assert session.state == "stopped"


def test_what_was_finished_when_the_stop_came_is_finished(
    create: Callable[..., Session], movies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(movies, "good")
    with create(expected_count=1) as session:
        running = engine(session)
        close_sets = running._close_sets

        def stopped(now: float) -> None:
            close_sets(now)
            if running._scribe.state == "finished":
                running.stop()

        monkeypatch.setattr(running, "_close_sets", stopped)
        running.run()
        assert session.state == "finished"
        assert session.events()[-1].message == "Finished: every item is accounted for."


def test_no_file_counts_as_missing_before_the_folder_was_looked_at(
    create: Callable[..., Session], movies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a slow server's files are found too late."""
    looked = threading.Event()
    monkeypatch.setattr(Intake, "_ring", lambda _: looked.set())
    with create(idle_timeout=60) as session:
        running = engine(session)
        (intake,) = running._reception._intakes
        assert intake.ending(time.monotonic() + 61) is None
        intake.start()
        assert looked.wait(30)
        assert intake.ending(time.monotonic() + 61) == "no new file for 60 s"
        running._close()


@pytest.mark.parametrize("watch", [True, False])
def test_an_engine_that_is_told_to_stop_sleeps_until_what_runs_is_done(
    create: Callable[..., Session], movies: Path, watch: bool
) -> None:
    with create() as session:
        running = Engine(session.path, InlineExecutor, watch=watch)
        running.stop()
        running._wait()
        assert select.select([running._bell], [], [], 0)[0] == []
        running._close()


def test_an_import_that_has_ended_asks_for_no_more_looks(create: Callable[..., Session], movies: Path) -> None:
    """Else the engine would not sleep until the last item is done."""
    with create() as session:
        running = engine(session)
        (intake,) = running._reception._intakes
        assert intake.ending(intake.next_look()) == "no new file for 60 s"
        assert intake.next_look() == math.inf
        running._close()


def test_a_file_that_was_given_up_counts_once_whatever_the_number_of_lives(
    create: Callable[..., Session], movies: Path
) -> None:
    write(movies, "good")
    (movies / os.fsdecode(b"movie_\xff.txt")).write_text("its name is no text")
    with create(expected_count=3, idle_timeout=0.5) as session:
        engine(session).run()
        assert session["arrivals"].reason == "no new file for 0.5 s"
        assert [failure.key for failure in session.failures()] == [r"movie_\udcff"]
        running = engine(session)
        (intake,) = running._reception._intakes
        for later in (0.0, 60.0):
            intake._watcher.look(time.time() + later)
        now = time.monotonic()
        assert len(intake.take(now)) == 1
        assert intake.ending(now) is None
        running._close()


def test_a_file_that_comes_after_the_end_is_not_put_into_a_closed_set(
    create: Callable[..., Session], movies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A watcher's thread that a file server kept waiting may speak when nobody waits for it any more."""
    write(movies, "good")
    with create(expected_count=1) as session:
        running = engine(session)
        (intake,) = running._reception._intakes
        close_set = running._scribe.close_set

        def closed(name: str, status: str, reason: str) -> None:
            close_set(name, status, reason)
            if name == "arrivals":
                intake._came(Arrival(key="late", path="/late", size=1, modified=0.0, evidence="closed"))

        monkeypatch.setattr(running._scribe, "close_set", closed)
        running.run()
        assert keys(session, "arrivals") == ["movie_0"]


def test_what_made_an_item_is_forgotten_with_it(create: Callable[..., Session], movies: Path) -> None:
    write(movies, "good", "reject")
    with create(expected_count=2) as session:
        running = engine(session)
        running.run()
        assert running._harvest.makers == {}
