"""Whoever is killed, whenever: nothing is lost, nothing done twice, no half file taken for a whole one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def test_killed_again_and_again_every_item_is_accounted_for() -> None:
    """The benchmark in short; ``python -m benchmarks chaos`` kills a hundred times."""
    command = [sys.executable, "-m", "benchmarks", "chaos", "--items", "8", "--kills", "5", "--faults", "0"]
    command += ["--size", "128"]
    ran = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    figures = json.loads(ran.stdout.splitlines()[-1])
    assert 1 <= figures["kills"] <= 5  # it may be done before the last
    wrong = ("failed", "lost", "twice", "torn", "strays")
    assert {name: figures[name] for name in wrong} == dict.fromkeys(wrong, 0)
