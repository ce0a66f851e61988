"""Logs: whole lines of JSON for programs, what processes say for people, in files of a bounded size."""

from __future__ import annotations

import json
import logging
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from emlab.engine import journal
from emlab.engine.chores import TRIM_EVERY, Housekeeping


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[logging.Logger]:
    monkeypatch.setattr(journal, "MOST_BYTES", 1000)
    handler = journal.journal(tmp_path)
    log = logging.Logger("emlab.engine")  # noqa: LOG001 (nobody else's)
    log.addHandler(handler)
    yield log
    handler.close()


def test_every_line_is_an_object_whatever_the_message(log: logging.Logger, tmp_path: Path) -> None:
    log.error("ctf: %s failed", "movie\n1", exc_info=ValueError('a "quoted"\nmessage'))
    (line,) = (tmp_path / "log.jsonl").read_text().splitlines()
    found = json.loads(line)
    assert (found["level"], found["logger"], found["message"]) == ("error", "emlab.engine", "ctf: movie\n1 failed")
    assert found["traceback"].endswith('ValueError: a "quoted"\nmessage')


def test_the_files_never_grow_beyond_measure(log: logging.Logger, tmp_path: Path) -> None:
    for number in range(200):
        log.info("item %d", number)
    files = sorted(tmp_path.glob("log.jsonl*"))
    assert len(files) == 1 + journal.KEPT
    assert all(file.stat().st_size <= 1000 for file in files)
    assert json.loads(files[0].read_text().splitlines()[-1])["message"] == "item 199"


def test_what_processes_say_stays_within_bounds_and_they_go_on_saying_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest is kept, nothing of what comes later is lost, and whoever has the file open goes on with it."""
    monkeypatch.setattr(journal, "MOST_BYTES", 1000)
    log = tmp_path / "engine.log"
    housekeeping = Housekeeping([], log)
    housekeeping.attend(0.0, 0)  # before there is one
    with log.open("ab") as said:
        worker = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=said)
        assert worker.stdin is not None
        for look in range(1, 4):
            said.write(b"%d" % look * 1500)
            said.flush()
            housekeeping.attend(look * TRIM_EVERY - 1, 0)
            assert log.stat().st_size >= 1500
            housekeeping.attend(look * TRIM_EVERY, 0)
            assert log.stat().st_size == 0
            assert (tmp_path / "engine.log.1").read_bytes() == b"%d" % look * 1000
        worker.communicate(b"still here")
    housekeeping.attend(10 * TRIM_EVERY, 0)
    assert log.read_bytes() == b"still here"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["engine.log", "engine.log.1"]
