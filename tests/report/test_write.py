"""A report appears whole, or the one before stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from emlab.errors import SessionMissing
from emlab.report import write


def test_a_text_replaces_the_one_before_in_one_step(tmp_path: Path) -> None:
    page = tmp_path / "report" / "index.html"
    write.replace_text(page, "first")
    write.replace_text(page, "second")
    assert page.read_text() == "second"
    assert [path.name for path in page.parent.iterdir()] == ["index.html"]


def test_a_write_that_fails_leaves_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "index.html"
    write.replace_text(page, "first")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(write.os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write.replace_text(page, "second")
    assert page.read_text() == "first"
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]


def test_where_there_is_no_session_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(SessionMissing, match="is not a session"):
        write.write_report(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()
