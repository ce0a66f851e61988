"""How far each run is, what waits, what failed, how fast it goes."""

from __future__ import annotations

from typing import Any

import pytest

from emlab.monitors import Stage, Stages


def by_name(stages: list[Stage]) -> dict[str, Stage]:
    return {stage.name: stage for stage in stages}


def test_items_are_done_waiting_or_failed(invented: Any) -> None:
    invented.add(range(10), until="import")
    for number in range(4):
        invented.record("align", number)
    invented.fail(4, "align", "no frames")
    stages = by_name(Stages(invented.open()).update())
    align = stages["align"]
    assert (align.available, align.done, align.failed, align.waiting) == (10, 4, 1, 5)
    assert stages["ctf"].waiting == 4
    assert stages["import"].done == 10
    assert stages["select"].available == 0


def test_a_failure_that_is_tried_again_is_none_and_a_success_takes_one_off(invented: Any) -> None:
    invented.add(range(2), until="import")
    monitor = Stages(invented.open())
    invented.fail(0, "align", "busy", final=False)
    assert by_name(monitor.update())["align"].failed == 0
    invented.fail(0, "align", "no frames")
    assert by_name(monitor.update())["align"].failed == 1
    assert [failure.message for failure in monitor.failures] == ["no frames"]
    invented.record("align", 0)
    align = by_name(monitor.update())["align"]
    assert (align.failed, align.done, align.waiting) == (0, 1, 1)
    assert monitor.failures == []


def test_rates_and_times_are_those_of_the_records(invented: Any) -> None:
    invented.add(range(20))
    now = invented.START + 19 * 30 + 10
    stage = by_name(Stages(invented.open(), now=lambda: now).update())["ctf"]
    assert stage.rate == pytest.approx(120)
    assert stage.seconds == 2.0
    assert stage.latency == pytest.approx(0.001)
    assert stage.is_open
    later = by_name(Stages(invented.open(), now=lambda: now + 570).update())["ctf"]
    assert later.rate == pytest.approx(60)
    invented.end()
    ended = by_name(Stages(invented.open(), now=lambda: now + 570).update())["ctf"]
    assert ended.rate == pytest.approx(120)
    assert not ended.is_open


def test_a_new_run_is_noticed(invented: Any) -> None:
    monitor = Stages(invented.open())
    assert len(monitor.update()) == 4
    with invented.ledger.transaction():
        invented.add_run("ctf_2", "estimate_ctf", ("micrographs",), {"ctfs-2": "ctf"})
    assert [stage.name for stage in monitor.update()] == ["import", "align", "ctf", "select", "ctf_2"]
