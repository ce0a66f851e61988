"""How busy this machine is: plausible numbers, and rates since the last look."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from emlab.monitors import system
from emlab.monitors.system import System


def test_rates_are_differences_over_the_time_between_two_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, transfers = iter([100.0, 110.0]), iter([(0, 0, 0, 0), (10, 20, 30, 40)])
    monkeypatch.setattr(system, "_transfers", lambda: next(transfers))
    seconds = iter([(50.0, 400.0), (65.0, 420.0)])
    monkeypatch.setattr(system, "_processors", lambda: next(seconds))
    load = System(tmp_path, lambda: next(clock)).look()
    assert (load.read, load.written, load.received, load.sent) == (1.0, 2.0, 3.0, 4.0)
    assert load.cpu == pytest.approx(75.0)
    assert 0 < load.memory_used < load.memory_size
    assert 0 < load.disk_free <= load.disk_size


def test_processors_are_those_of_the_whole_machine_whoever_asks(tmp_path: Path) -> None:
    watch, found = System(tmp_path), []
    begun = time.process_time()
    while time.process_time() - begun < 0.3:
        pass
    asking = threading.Thread(target=lambda: found.append(watch.look()))
    asking.start()
    asking.join()
    assert 0 < found[0].cpu <= 100
