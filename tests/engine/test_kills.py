"""Engines and workers that are killed while they record, at any moment: nothing is lost, done twice or half."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from emlab.engine.executors.local import THREAD_SETTINGS

WRONG = ("lost", "twice", "torn", "strays", "failed", "unfinished")


def test_whoever_is_killed_at_whatever_moment_each_item_is_done_once() -> None:
    """``python -m benchmarks kills`` kills thousands of times."""
    command = [sys.executable, "-m", "benchmarks", "kills", "--kills", "12", "--lives", "12"]
    environment = os.environ | dict.fromkeys(THREAD_SETTINGS, "1")
    ran = subprocess.run(
        command, cwd=Path(__file__).parents[2], env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    figures = json.loads(ran.stdout.splitlines()[-1])
    assert {name: figures[name] for name in WRONG} == dict.fromkeys(WRONG, 0)
    assert figures["kills"] >= 12
    assert figures["lives_that_recorded"] >= 0.3 * figures["lives"]
