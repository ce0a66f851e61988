"""Chores run beside the engine, when there is something new, and never in its way."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from emlab.engine.chores import GRACE, Chore, Housekeeping


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
    for running in housekeeping._running.values():
        running.process.wait()


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


def test_a_chore_that_takes_too_long_may_clean_up_and_is_killed_if_it_does_not_end(log: Path, tmp_path: Path) -> None:
    """What opens a fifo is there, or has heard; no look at the chore waits for its end."""
    for name in ("begun", "heard"):
        os.mkfifo(tmp_path / name)
    program = f"""import signal, time
signal.signal(signal.SIGTERM, lambda *_: open({str(tmp_path / "heard")!r}, "w").close())
open({str(tmp_path / "begun")!r}, "w").close()
while True:
    time.sleep(1)
"""
    housekeeping = keep(log, program, timeout=10)
    housekeeping.attend(now=0, recorded=1)
    (tmp_path / "begun").read_text()
    for now in (9, 11):
        assert housekeeping.attend(now, recorded=1) == []
    (tmp_path / "heard").read_text()
    assert housekeeping.attend(now=12, recorded=1) == []
    assert housekeeping.is_busy
    housekeeping.attend(now=10 + GRACE, recorded=1)
    finish(housekeeping)
    (complaint,) = housekeeping.attend(now=17, recorded=1)
    assert complaint == "The report was not written within 10 s and was stopped; see engine.log."
    assert not housekeeping.is_busy


def test_a_disk_that_is_full_is_a_complaint(tmp_path: Path) -> None:
    housekeeping = keep(Path("/dev/full"), "raise SystemExit('no space')")
    housekeeping.attend(now=0, recorded=1)
    finish(housekeeping)
    assert housekeeping.attend(now=1, recorded=1) == ["no space"]


def test_a_process_that_cannot_be_started_is_a_complaint_told_once(tmp_path: Path) -> None:
    housekeeping = keep(tmp_path / "gone" / "engine.log", "")
    (complaint,) = housekeeping.attend(now=0, recorded=1)
    assert complaint.startswith("The report could not be started: ")
    assert housekeeping.attend(now=1, recorded=2) == [], "too early"
    assert housekeeping.attend(now=61, recorded=2) == [], "told already"


def test_a_chore_leaves_the_machine_to_the_work(log: Path) -> None:
    housekeeping = keep(log, "import os; raise SystemExit(f'nice {os.nice(0)}')")
    housekeeping.attend(now=0, recorded=1)
    finish(housekeeping)
    assert housekeeping.attend(now=1, recorded=1) == [f"nice {os.nice(0) + 10}"]
