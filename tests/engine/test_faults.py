"""What goes wrong around a session, done for real: it passes, and every item is accounted for."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import emlab
from emlab.engine import absence, harvest, runner
from emlab.engine.amendment import retry
from emlab.engine.backlog import ATTEMPTS
from emlab.engine.executors import InlineExecutor
from emlab.engine.runner import Engine
from emlab.engine.task import Task
from emlab.formats.mrc import write_mrc
from emlab.sets import Away

FILES = 3


@pytest.fixture(autouse=True)
def short_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setattr(harvest, "RETRY_AFTER", 0.01)
    monkeypatch.setattr(runner, "DISK_RETRY", 0.01)
    monkeypatch.setattr(absence, "LONGEST_PAUSE", 0.01)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    return folder


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MiB."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", place], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", place], check=True)


def create(path: Path, images: Path, **more: str) -> emlab.Session:
    values = {"folder": str(images), "pixel_size": 1.0, "voltage": 300, "settle_time": 0, "expected_count": FILES}
    workflow = {
        "name": "tiny",
        "title": "Tiny",
        "protocols": [{"name": "import", "protocol": "import_micrographs", "parameters": {**values, **more}}],
    }
    file = images.parent / "tiny.json"
    file.write_text(json.dumps(workflow))
    return emlab.create_session(path, file)


def write(images: Path) -> None:
    pixels = np.random.default_rng(0).normal(size=(32, 32)).astype(np.float32)
    for number in range(FILES):
        write_mrc(images / f"image_{number}.mrc", pixels, 1.0)
        os.utime(images / f"image_{number}.mrc", (0, 0))


class Meddler(InlineExecutor):
    """Does something before each task, and something when so many were given out."""

    def __init__(self, before: Callable[[int, str], None]) -> None:
        super().__init__()
        self._before = before
        self.given = 0

    def submit(self, task: Task, *, accelerated: bool, prefer: str | None = None) -> None:
        self.given += 1
        self._before(self.given, task.key)
        super().submit(task, accelerated=accelerated, prefer=prefer)


class Curious(Engine):
    """Begins when every file was found, and keeps what it says of what it waits for."""

    said = ""

    def _wait(self) -> float:
        (intake,) = self._reception._intakes
        while intake._taken + intake._arrived.qsize() < FILES:
            super()._wait()
        self.said += "\n".join(self._commands.answer({"command": "explain"})["now"])
        return super()._wait()


def run(session: emlab.Session, before: Callable[[int, str], None]) -> str:
    """Run a session, and give what was said meanwhile."""
    engine = Curious(session.path, lambda: Meddler(before))
    engine.run()
    return engine.said


def check(session: emlab.Session) -> None:
    assert session.state == "finished"
    assert sorted(record.key for record in session["micrographs"]) == [f"image_{number}" for number in range(FILES)]
    assert not [failure for failure in session.failures() if failure.final]


def test_a_disk_that_is_full_is_waited_for(small_disk: Path, images: Path) -> None:
    """Outputs and the database itself find no room, until somebody makes some; that is told once, not at each look."""
    write(images)
    filler = small_disk / "filler"

    def fill_and_clear(given: int, key: str) -> None:
        if given == 2:
            with filler.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
                while True:
                    file.write(bytes(4096))
        if given == 8:
            filler.unlink()

    with create(small_disk / "session", images) as session:
        run(session, fill_and_clear)
        check(session)
        disk = f"The disk of {session.path}"
        assert sum(event.message.startswith(f"{disk} is full (") for event in session.events()) == 1
        assert sum(event.message.startswith(f"{disk} has room again after") for event in session.events()) == 1
        assert session.failures() == []


@pytest.mark.parametrize(("looks", "told"), [(30, 1), (2, 0)])
def test_a_folder_that_disappears_and_comes_back_costs_nothing(
    tmp_path: Path, images: Path, looks: int, told: int
) -> None:
    """Not one attempt, for however long it is away; whoever asks is told what is waited for."""
    (images / "square").mkdir()
    write(images / "square")
    away = tmp_path / "away"
    tried = []
    shown: list[Away] = []

    def unmount(given: int, key: str) -> None:
        shown.extend(session.away)
        if given == 1:
            images.rename(away)
        if given <= looks:
            tried.append(key)
        if given == looks:
            away.rename(images)

    with create(tmp_path / "session", images, pattern="*/*.mrc") as session:
        said = run(session, unmount)
        check(session)
        assert session.failures() == []
        assert len(set(tried)) == 1
        assert [record.attempt for record in session["micrographs"].to_dataframe().itertuples()] == [1] * FILES
        assert f"waiting until {images} is back; next check in 0 s." in said
        assert {(one.run, one.place) for one in shown} == {("import", str(images)) for _ in range(told)}
        assert all(abs(one.since - time.time()) < 60 for one in shown)
        assert session.catalogue.away() == []
        messages = [event.message for event in session.events()]
        assert sum(message.startswith(f"{images} cannot be reached (There is no file") for message in messages) == told
        assert sum(message.startswith(f"{images} is back after") for message in messages) == told


def test_after_an_outage_that_outlasted_all_patience_what_was_given_up_is_done_when_asked_for(
    tmp_path: Path, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is lost, nothing done twice, and what was numbered keeps its number."""
    monkeypatch.setattr(absence, "PATIENCE", 0.0)
    monkeypatch.setattr(harvest, "RETRY_AFTER", 0.0001)
    write(images)
    away = tmp_path / "away"
    with create(tmp_path / "session", images) as session:
        run(session, lambda given, key: images.rename(away) if given == 2 else None)
        (before,) = [record.key for record in session["micrographs"]]
        assert session.state == "finished"
        assert session["micrographs"].reason == "1 items done, 2 failed"
        assert len(session.failures()) == 2 * ATTEMPTS["outage"]
        assert retry(session.path, None, [], "somebody") == 2
        away.rename(images)
        run(session, lambda given, key: None)
        check(session)
        assert next(iter(session["micrographs"])).key == before
        assert len(session.failures()) == 2 * ATTEMPTS["outage"]
        assert "2 items retried by somebody." in [event.message for event in session.events()]
        assert [(one.run, len(one.keys), one.author) for one in session.retries()] == [("import", 2, "somebody")]


def test_clocks_that_are_set_back_change_neither_order_nor_number(
    tmp_path: Path, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(images)
    real = runner.time.time
    shift = [0.0]
    monkeypatch.setattr(runner.time, "time", lambda: real() + shift[0])

    def set_clock(given: int, key: str) -> None:
        shift[0] = -86_400.0 * given

    with create(tmp_path / "session", images) as session:
        run(session, set_clock)
        check(session)
        recorded = session["micrographs"].to_dataframe(columns=["recorded_at"])["recorded_at"].to_list()
        assert recorded == sorted(recorded, reverse=True)
