"""An engine that is killed hundreds of times, at any moment of its life, loses nothing and does nothing twice."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from pathlib import Path

import pytest

import emlab
from emlab.engine.executors import InlineExecutor
from emlab.engine.runner import Engine
from emlab.model import Protocol

pytestmark = pytest.mark.usefixtures("any_file", "toys")

KILLS = 150
FILES_A_LIFE = 2
LONGEST_LIFE = 0.12
"""Seconds: from before the engine has the lock until it waits for more files."""


def test_an_engine_killed_at_any_moment_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, toys: dict[str, Protocol]
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    movies = tmp_path / "movies"
    movies.mkdir()
    files = KILLS * FILES_A_LIFE
    source = {"folder": str(movies), "settle_time": 0, "expected_count": files}
    steps = [
        {"name": "import", "protocol": "toy_import", "parameters": source},
        {"name": "ctf", "protocol": "toy_ctf"},
        {"name": "select", "protocol": "toy_select"},
        {"name": "fold", "protocol": "toy_fold", "parameters": {"size": 7}},
    ]
    (tmp_path / "toy.json").write_text(json.dumps({"name": "toy", "title": "Toy", "protocols": steps}))
    with emlab.create_session(tmp_path / "session", tmp_path / "toy.json") as session:
        rng = random.Random(0)
        died = 0
        for life in range(KILLS):
            for number in range(life * FILES_A_LIFE, (life + 1) * FILES_A_LIFE):
                (movies / f"movie_{number:05d}.txt").write_text("good")
            died += killed_after(rng.uniform(0, LONGEST_LIFE), session.path)
        assert died > 0.9 * KILLS  # it is the last ones that may finish before
        Engine(session.path, InlineExecutor).run()
        wanted = [f"movie_{number:05d}" for number in range(files)]
        for name in ("arrivals", "import.micrographs", "ctf.ctfs", "select.accepted"):
            assert sorted(record.key for record in session[name]) == wanted
        folded = session["fold.accepted"][-1].reason
        assert sorted(folded.strip("[]").replace("][", " ").split()) == wanted
        assert not session.failures()
        assert session.state == "finished"


def killed_after(seconds: float, session: Path) -> bool:
    """Let an engine live for so long; whether it was killed, and had not ended."""
    child = os.fork()
    if child == 0:
        try:
            Engine(session, InlineExecutor).run()
            os._exit(0)
        finally:
            os._exit(1)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status):
        assert os.WEXITSTATUS(status) == 0, "the engine broke down"
    return os.WIFSIGNALED(status)
