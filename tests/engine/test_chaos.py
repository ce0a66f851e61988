"""Whoever is killed, whatever fails, whenever: nothing is lost, done twice, or taken for whole when it is half."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


def ordeal(*options: str) -> dict[str, Any]:
    """The benchmark in short; ``python -m benchmarks chaos`` strikes 145 times."""
    command = [sys.executable, "-m", "benchmarks", "chaos", "--size", "128", *options]
    ran = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return dict(json.loads(ran.stdout.splitlines()[-1]))


def assert_all_is_well(figures: dict[str, Any]) -> None:
    wrong = ("breakdowns", "failed", "lost", "twice", "torn", "strays")
    assert {name: figures[name] for name in wrong} == dict.fromkeys(wrong, 0)


def test_killed_again_and_again_every_item_is_accounted_for() -> None:
    figures = ordeal("--items", "8", "--kills", "5", "--faults", "0")
    assert figures["kills"] == 5
    assert_all_is_well(figures)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can mount a disk that is to lose its power")
def test_when_the_power_fails_nothing_recorded_is_missing_and_nothing_seen_vanishes() -> None:
    figures = ordeal("--items", "6", "--kills", "0", "--faults", "3", "--only", "power")
    assert figures["power"] == 3
    assert_all_is_well(figures)
