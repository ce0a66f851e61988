"""Movies and sessions on a network file system: a real mount, which no file event tells of, and whose server fails."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

import emlab
from emlab.engine import absence, harvest, lock, runner
from emlab.engine.control import send_command
from emlab.engine.executors import Executor, InlineExecutor, LocalExecutor, local
from emlab.engine.lock import SessionLock, is_locked
from emlab.engine.mount import filesystem_type, is_network
from emlab.engine.runner import Engine
from emlab.engine.task import Task
from emlab.engine.watcher import Watcher
from emlab.engine.watcher.file_events import FileEvents
from emlab.engine.watcher.folder_scan import GRANULARITY, THOROUGH_EVERY
from emlab.errors import SessionBusy, SessionError
from emlab.formats.mrc import write_mrc
from emlab.model import Arrival
from emlab.sets import catalogue

FILES = 3


@pytest.fixture(autouse=True)
def short_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setattr(harvest, "RETRY_AFTER", 0.01)
    monkeypatch.setattr(runner, "DISK_RETRY", 0.01)


def write(folder: Path, *numbers: int) -> None:
    """Files that nobody has touched for long."""
    pixels = np.random.default_rng(0).normal(size=(32, 32)).astype(np.float32)
    folder.mkdir(exist_ok=True)
    for number in numbers:
        write_mrc(folder / f"image_{number}.mrc", pixels, 1.0)
        os.utime(folder / f"image_{number}.mrc", (0, 0))


def create(path: Path, images: Path, files: int = FILES) -> emlab.Session:
    values = {"folder": str(images), "pixel_size": 1.0, "voltage": 300, "settle_time": 0, "expected_count": files}
    protocols = [{"name": "import", "protocol": "import_micrographs", "parameters": values}]
    file = path.parent / "tiny.json"
    file.write_text(json.dumps({"name": "tiny", "title": "Tiny", "protocols": protocols}))
    return emlab.create_session(path, file)


@contextmanager
def running(
    session: emlab.Session, executor: Callable[[], Executor] = InlineExecutor, **options: Any
) -> Iterator[threading.Thread]:
    """An engine in a thread; pytest fails the test for whatever breaks it."""
    thread = threading.Thread(target=lambda: Engine(session.path, executor, **options).run())
    thread.start()
    yield thread
    thread.join(180)
    assert not thread.is_alive(), "the engine did not end within 180 s"


def check(session: emlab.Session, files: int = FILES) -> None:
    assert session.state == "finished"
    assert sorted(record.key for record in session["micrographs"]) == [f"image_{number}" for number in range(files)]
    assert not [failure for failure in session.failures() if failure.final]


def test_the_kernel_tells_nothing_of_another_hosts_files_and_they_are_found_by_looking(mount: Any) -> None:
    server = mount()
    write(server.served / "movies")
    folder = server.path / "movies"
    assert filesystem_type(folder) == "fuse"
    assert is_network(folder)
    events = FileEvents()
    events.watch(str(folder))
    found: list[Arrival] = []
    watcher = Watcher(folder, ("*.mrc",), found.append, lambda report: None, settle_time=0)
    watcher.look(1000.0)
    write(server.served / "movies", 0)
    assert events.taken() == []
    assert found == []
    watcher.look(1001.0)
    assert [arrival.path for arrival in found] == [str(folder / "image_0.mrc")]
    watcher.stop()
    events.close()


def test_looking_costs_what_is_new_and_not_what_is_there(mount: Any) -> None:
    """What a file server is asked: a look at 1000 files in 5 folders is a look at 5 folders."""
    server = mount()
    folders = [server.served / f"square_{number}" for number in range(5)]
    for folder in folders:
        folder.mkdir()
        for number in range(200):
            (folder / f"{folder.name}_{number}.txt").touch()
    found: list[Arrival] = []
    known = [str(server.path / file.relative_to(server.served)) for folder in folders for file in folder.iterdir()]
    watcher = Watcher(server.path, ("*/*.txt",), found.append, lambda report: None, known=known, settle_time=0)

    def looked(now: float) -> dict[str, int]:
        server.counts()
        watcher.look(now)
        return server.counts()

    later = 1000.0 + GRANULARITY + 2
    first = looked(1000.0)
    assert first["readdir"] == 6
    looked(later)
    quiet = looked(later + 2)
    assert quiet.keys() == {"getattr"}
    assert quiet["getattr"] <= 2 * 6  # each folder, and the way to it
    write(folders[3], 0)
    (folders[3] / "image_0.mrc").rename(folders[3] / "new.txt")
    after = looked(later + 4)
    assert after["readdir"] == 1
    assert after["getattr"] <= 2 * 6 + 30  # the new one is looked into, and for its metadata
    assert looked(1000.0 + THOROUGH_EVERY + 1)["readdir"] == 6
    watcher.stop()


def test_a_session_on_it_runs_to_its_end_and_every_host_can_follow(mount: Any) -> None:
    """No write-ahead log, which loses rows there; readers on the same host and on another see every record once."""
    here, there = mount(), mount()
    write(here.served / "images", *range(30))
    with create(here.path / "session", here.path / "images", 30) as session, running(session):
        other = emlab.open_session(there.path / "session")
        followed = [[record.key for record in reader["micrographs"].follow(timeout=30)] for reader in (session, other)]
        assert followed[0] == followed[1] == [record.key for record in session["micrographs"]]
        assert len(set(followed[0])) == 30
        assert not (here.served / "session" / "session.db-wal").exists()
        other.close()


@pytest.mark.parametrize("operation", ["open", "read"])
@pytest.mark.parametrize("number", [errno.ESTALE, errno.EIO])
def test_a_file_that_the_server_refuses_for_a_while_costs_nothing(
    mount: Any, tmp_path: Path, operation: str, number: int
) -> None:
    """For longer than an item of its own fault would be tried."""
    server = mount()
    write(server.served / "images", *range(FILES))

    class Refused(InlineExecutor):
        def submit(self, task: Task, *, accelerated: bool, prefer: str | None = None) -> None:
            if task.key == "image_1" and task.attempt == 1:
                server.fail(operation, "image_1.mrc", number)
            if task.attempt == 5:
                server.mend()
            super().submit(task, accelerated=accelerated, prefer=prefer)

    with create(tmp_path / "session", server.path / "images") as session:
        with running(session, Refused):
            pass
        check(session)
        failures = session.failures()
        assert [(failure.key, failure.attempt) for failure in failures] == [("image_1", n) for n in (1, 2, 3, 4)]
        assert os.strerror(number) in failures[0].message


@pytest.mark.parametrize("operation", ["open", "read"])
@pytest.mark.parametrize("number", [errno.ESTALE, errno.EIO])
def test_a_server_that_refuses_every_file_is_waited_for(
    mount: Any, tmp_path: Path, operation: str, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It costs no attempt, although its folders can be listed all the while."""
    monkeypatch.setattr(absence, "LONGEST_PAUSE", 0.01)
    server = mount()
    write(server.served / "images", *range(FILES))
    given: list[int] = []

    class Refused(InlineExecutor):
        def submit(self, *arguments: Any, **options: Any) -> None:
            given.append(1)
            if len(given) == 1:
                for image in range(FILES):
                    server.fail(operation, f"image_{image}.mrc", number)
            if len(given) == 20:
                server.mend()
            super().submit(*arguments, **options)

    with create(tmp_path / "session", server.path / "images") as session:
        with running(session, Refused):
            pass
        check(session)
        assert len(given) >= 20
        assert session.failures() == []


@pytest.mark.parametrize("operation", ["write", "fsync", "read", "open"])
def test_a_sessions_own_folder_may_fail_for_a_while(mount: Any, tmp_path: Path, operation: str) -> None:
    """The database too: what cannot be recorded is kept, and recorded once when the server is back."""
    server = mount()
    write(tmp_path / "images", *range(FILES))
    given: list[int] = []

    class Fails(InlineExecutor):
        def submit(self, *arguments: Any, **options: Any) -> None:
            given.append(1)
            if len(given) == 2:
                for name in ("session.db", "session.db-journal"):
                    server.fail(operation, name, errno.EIO)
                threading.Timer(0.3, server.mend).start()
            super().submit(*arguments, **options)

    with create(server.path / "session", tmp_path / "images") as session:
        with running(session, Fails):
            pass
        check(session)
        assert [record.key for record in session["arrivals"]] == [f"image_{number}" for number in range(FILES)]


class Patient(LocalExecutor):
    """Has the server hang while it is first asked for a file, until another worker is to try it."""

    def __init__(self, server: Any) -> None:
        super().__init__(cpu_workers=1)
        self._server = server
        self.stuck: list[str] = []

    def submit(self, task: Task, *, accelerated: bool, prefer: str | None = None) -> None:
        if task.key == "image_1":
            if task.attempt == 1:
                self._server.hang("open", "image_1.mrc")
            else:
                self.stuck = [psutil.Process(process.pid).status() for process in self._undead]
                self._server.mend()
        super().submit(task, accelerated=accelerated, prefer=prefer)


def test_a_worker_that_waits_for_the_server_and_cannot_be_killed_is_replaced(
    mount: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "DYING", 0.1)
    server = mount()
    write(server.served / "images", *range(FILES))
    executors: list[Patient] = []

    def executor() -> Patient:
        executors.append(Patient(server))
        return executors[0]

    with create(tmp_path / "session", server.path / "images") as session:
        with running(session, executor, time_limit=0.5):
            server.until_held()
            assert send_command(session.path, "ping")["state"] == "running"
        check(session)
        for process in executors[0]._undead:
            process.wait(30)
        assert executors[0].stuck == ["disk-sleep"]
        assert [(failure.key, failure.error) for failure in session.failures()] == [("image_1", "TimeLimit")]
        assert any("was killed but has not ended: it waits for a file server" in e.message for e in session.events())


def test_a_folder_whose_server_does_not_answer_keeps_nobody_waiting(mount: Any, tmp_path: Path) -> None:
    """Only the watcher's thread waits for it."""
    server = mount()
    write(server.served / "images", 0)
    with create(tmp_path / "session", server.path / "images") as session:
        server.hang("readdir")
        with running(session):
            server.until_held()
            assert send_command(session.path, "explain")["now"]
            session.pause()
            session.resume()
            write(server.served / "images", *range(1, FILES))
            server.mend()
        check(session)


OTHER = """
import sys
from pathlib import Path
from emlab.engine.lock import SessionLock, is_locked
from emlab.errors import SessionBusy
folder = Path(sys.argv[1])
try:
    lock = SessionLock(folder)
except SessionBusy as error:
    print(f"busy {is_locked(folder)}: {error}")
else:
    print("taken", flush=True)
    sys.stdin.read()
"""


def on_another_host(folder: Path) -> subprocess.Popen[str]:
    """A process that tries to own a session, and holds it until its input ends."""
    shell = 'hostname other && exec "$@"'
    command = ["unshare", "--uts", "sh", "-c", shell, "sh", sys.executable, "-c", OTHER, str(folder)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_an_engine_of_another_host_is_refused_where_locks_do_not_reach_it(
    mount: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two mounts of one folder, whose locks know nothing of each other, as with NFS's ``nolock``."""
    here, there = mount(), mount()
    (here.path / "session").mkdir()
    folder = here.path / "session"
    holder = SessionLock(folder)
    with on_another_host(there.path / "session") as other:
        said = other.communicate(timeout=60)[0]
    assert said.startswith(
        f"busy True: {there.path}/session is already run by the engine with process id {os.getpid()} on "
    )
    assert "`emlab stop` there ends it. If that host is gone, try again in " in said
    os.utime(folder / "lock", times=(0, time.time() - lock.SILENCE - 10))
    holder.beat(time.monotonic())  # alive after all
    with on_another_host(there.path / "session") as other:
        assert other.communicate(timeout=60)[0].startswith("busy")
    holder.release()
    with on_another_host(there.path / "session") as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "taken\n"
        assert is_locked(folder)
        with pytest.raises(SessionBusy, match="on other, which gave a sign of life"):
            SessionLock(folder)
        other.kill()
    os.utime(folder / "lock", times=(0, time.time() - lock.SILENCE - 10))
    assert not is_locked(folder)
    SessionLock(folder).release()


def test_an_engine_that_was_silent_for_long_ends_when_another_has_taken_its_session(
    mount: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = mount(), mount()
    write(here.served / "images", 0)
    monkeypatch.setattr(lock, "BEAT", 0.0)
    with create(here.path / "session", here.path / "images", 2) as session:
        engine = Engine(session.path, InlineExecutor)
        (there.path / "session" / "lock").write_text("the engine with process id 1 on other\n")
        with pytest.raises(SessionBusy, match="was taken over by the engine with process id 1 on other; this engine"):
            engine.run()
        assert not any("engine crashed" in event.message for event in session.events())
        assert (there.path / "session" / "lock").read_text() == "the engine with process id 1 on other\n"


KILLED = """
import os, sys
from pathlib import Path
from emlab.sets import Ledger
ledger = Ledger(Path(sys.argv[1]), "TRUNCATE")
ledger._connection.execute("PRAGMA cache_size = 1")  # pages go to the file before the commit
ledger._connection.execute("BEGIN IMMEDIATE")
for number in range(2000):
    ledger.add_event("info", f"never committed {number}")
os.kill(os.getpid(), 9)
"""


def test_what_an_engine_that_was_killed_had_half_written_is_taken_back(
    mount: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Readers that are there say what to do; whoever opens the session, or goes on with it, mends it."""
    monkeypatch.setattr(catalogue, "PATIENCE", 0.1)
    server = mount()
    write(server.served / "images", *range(FILES))
    with create(server.path / "session", server.path / "images") as reader:
        path = reader.path / "session.db"

        def kill_an_engine() -> None:
            subprocess.run([sys.executable, "-c", KILLED, path], check=False)
            assert (reader.path / "session.db-journal").stat().st_size > 0
            with pytest.raises(
                SessionError, match="was killed while it wrote .* `emlab resume .*` undoes the unfinished write"
            ):
                reader.events()

        kill_an_engine()
        with emlab.open_session(reader.path) as opened:
            assert opened.events() == reader.events() == []
        kill_an_engine()
        Engine(reader.path, InlineExecutor).run()
        check(reader)
        assert not any("never committed" in event.message for event in reader.events())
        assert reader.catalogue.rows("PRAGMA integrity_check") == [("ok",)]
