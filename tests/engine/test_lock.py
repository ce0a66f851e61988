"""The lock of a session that is removed while its engine runs."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest

from emlab.engine.lock import BEAT, SessionLock
from emlab.errors import SessionMissing


def test_a_stale_handle_that_passes_ends_no_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = SessionLock(tmp_path)

    def stale(descriptor: int) -> os.stat_result:
        raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))

    with monkeypatch.context() as patch:
        patch.setattr("os.fstat", stale)
        lock.beat(0.0)
    lock.beat(BEAT + 1)
    lock.release()


def test_an_engine_is_told_that_its_session_was_removed(tmp_path: Path) -> None:
    folder = tmp_path / "session"
    folder.mkdir()
    lock = SessionLock(folder)
    lock.beat(0.0)
    shutil.rmtree(folder)
    lock.beat(BEAT / 2)  # it does not look each time
    with pytest.raises(SessionMissing, match="was removed; this engine ends"):
        lock.beat(BEAT + 1)
    lock.release()
