"""The log for programs: whole lines of JSON, in files of a bounded size."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from emlab.engine import journal


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
