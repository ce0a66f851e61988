"""A session at a glance, in numbers and in sentences."""

from __future__ import annotations

import math
from typing import Any

import pytest

from emlab.monitors import Items, Overview, Overviewer


def overview(invented: Any, after: float = 0.0) -> Overview:
    """The session as it is ``after`` seconds after the fortieth item was recorded."""
    session = invented.open()
    items = Items(session)
    items.update()
    return Overviewer(session, items, now=lambda: invented.START + 39 * 30 + 10 + after).update()


def test_an_empty_session_waits(invented: Any) -> None:
    found = overview(invented)
    assert found.pace == "Waiting for the first file."
    assert found.waiting == 0
    assert found.seconds_left == 0
    invented.end()
    assert overview(invented).pace == "Nothing arrived."


def test_a_session_without_a_queue_keeps_up(invented: Any) -> None:
    invented.add(range(40))
    found = overview(invented)
    assert found.pace == "Everything that has arrived is processed."
    assert found.counts["accepted"] == 32
    assert found.counts["rejected"] == 8
    assert found.acquisition_rate == pytest.approx(120)
    assert found.processing_rate == pytest.approx(120)
    invented.add(range(40, 42), until="align")
    keeping_up = overview(invented)
    assert keeping_up.pace == "Keeping up with the microscope."
    assert keeping_up.outlook == ""


def test_before_the_first_results_it_is_not_known_when_it_will_be_done(invented: Any) -> None:
    invented.add(range(10), until="import")
    found = overview(invented)
    assert math.isnan(found.seconds_left)
    assert found.outlook == "The finishing time appears after the first results."


def test_a_queue_is_told_with_the_time_that_it_takes(invented: Any) -> None:
    invented.add(range(40))
    invented.add(range(40, 60), until="import")
    found = overview(invented)
    assert found.waiting == 20
    assert found.seconds_left == pytest.approx(600)
    assert found.pace == "20 items in the queue."
    assert found.outlook.startswith("What has arrived will be done in 10 min (")
    assert found.stages[1].waiting == 20


def test_a_session_that_processes_less_than_is_acquired_falls_behind(invented: Any) -> None:
    invented.add(range(40))
    invented.add(range(40, 60), until="import")
    found = overview(invented, after=1_170)
    assert found.processing_rate == pytest.approx(60)
    assert found.pace == "Falling behind: 120 arrive per hour, 60 are processed."


def test_an_item_that_failed_is_finished_and_does_not_wait(invented: Any) -> None:
    invented.add(range(40))
    invented.add(range(40, 42), until="import")
    invented.fail(40, "align", "no frames")
    found = overview(invented)
    assert found.failed == 1
    assert found.waiting == 1
    assert "align 40 (1 failed)" in found.line


def test_an_ended_session_says_so(invented: Any) -> None:
    invented.add(range(40))
    invented.end()
    found = overview(invented)
    assert found.outlook == "The session is finished."
    assert not found.arriving


def test_a_stopped_session_tells_what_is_left(invented: Any) -> None:
    invented.add(range(40))
    invented.add(range(40, 50), until="import")
    invented.end(status="stopped", state="stopped")
    found = overview(invented)
    assert found.pace == "10 items left to be processed."
    assert found.outlook == "The session is not running."


def test_an_engine_that_is_gone_is_told(invented: Any) -> None:
    invented.add(range(3))
    invented.end(state="running")
    assert overview(invented).state == "crashed"
    assert overview(invented).outlook == "The session is not running."
