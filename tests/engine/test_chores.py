"""Chores run beside the engine, when there is something new, and never in its way."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from emlab.engine.chores import Chore, Housekeeping


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "engine.log"


def count_runs(log: Path) -> int:
    return log.read_text().count("done") if log.exists() else 0


def keep(log: Path, program: str, timeout: float = 600.0) -> Housekeeping:
    return Housekeeping([Chore("report", (sys.executable, "-c", program), every=60, timeout=timeout)], log)


@pytest.fixture
def housekeeping(log: Path) -> Iterator[Housekeeping]:
    housekeeping = keep(log, "print('done')")
    yield housekeeping
    housekeeping.close()


def finish(housekeeping: Housekeeping) -> None:
    for process, *_ in housekeeping._running.values():
        process.wait()


def test_a_chore_runs_only_when_there_is_something_new_and_it_is_time(log: Path, housekeeping: Housekeeping) -> None:
    assert housekeeping.attend(now=0, recorded=5) == []
    finish(housekeeping)
    housekeeping.attend(now=1, recorded=5)
    assert count_runs(log) == 1
    housekeeping.attend(now=30, recorded=9)
    assert not housekeeping.is_busy, "too early"
    housekeeping.attend(now=70, recorded=5)
    assert not housekeeping.is_busy, "nothing new"
    housekeeping.attend(now=70, recorded=9)
    finish(housekeeping)
    assert count_runs(log) == 2


def test_a_slow_chore_takes_a_tenth_of_the_time_at_most(housekeeping: Housekeeping) -> None:
    housekeeping.attend(now=0, recorded=1)
    finish(housekeeping)
    housekeeping.attend(now=100, recorded=2)
    housekeeping.attend(now=100 + 899, recorded=2)
    assert not housekeeping.is_busy
    housekeeping.attend(now=100 + 901, recorded=2)
    assert housekeeping.is_busy


def test_the_last_run_does_not_wait_for_its_time(log: Path, housekeeping: Housekeeping) -> None:
    housekeeping.attend(now=0, recorded=1)
    finish(housekeeping)
    housekeeping.attend(now=1, recorded=2, last=True)
    finish(housekeeping)
    housekeeping.attend(now=2, recorded=2, last=True)
    assert not housekeeping.is_busy
    assert count_runs(log) == 2


def test_a_chore_that_fails_is_reported_and_tried_again(log: Path) -> None:
    housekeeping = keep(log, "raise SystemExit('no paper')")
    housekeeping.attend(now=0, recorded=1)
    finish(housekeeping)
    (complaint,) = housekeeping.attend(now=1, recorded=1)
    assert complaint == "no paper"
    assert "no paper" in log.read_text()
    housekeeping.attend(now=100, recorded=2)
    finish(housekeeping)
    assert housekeeping.attend(now=101, recorded=2) == [], "told already"
    housekeeping.close()


def test_a_chore_that_fails_without_a_word_is_reported_too(log: Path) -> None:
    housekeeping = keep(log, "raise SystemExit(3)")
    housekeeping.attend(now=0, recorded=1)
    finish(housekeeping)
    assert housekeeping.attend(now=1, recorded=1) == ["The report was not written: exit code 3; see engine.log."]


def test_a_chore_that_hangs_is_killed(log: Path) -> None:
    housekeeping = keep(log, "import time; time.sleep(600)", timeout=10)
    housekeeping.attend(now=0, recorded=1)
    assert housekeeping.attend(now=9, recorded=1) == []
    (complaint,) = housekeeping.attend(now=11, recorded=1)
    assert "exit code -9" in complaint
    assert not housekeeping.is_busy
