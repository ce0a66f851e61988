"""Alarms: raised once per episode, cleared at a lower level than raised, acknowledged until the next episode."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from emlab.monitors import Items, Overview, Overviewer, Rule
from emlab.monitors.alarms import SHIFT, Alarms
from emlab.sets import Away

GIB = 2**30


@dataclass
class World:
    """A session, its disk and its clock, as the test wants them."""

    items: Items
    overview: Overview
    free: int = 500 * GIB
    now: float = 0.0
    rule: Rule | None = None

    def __post_init__(self) -> None:
        self.alarms = Alarms(".", now=lambda: self.now, free=lambda _: (self.free, 1000 * GIB))

    def look(self, failures: Any = ()) -> list[str]:
        """The names of the alarms that are new."""
        return [alarm.name for alarm in self.alarms.update(self.items, self.overview, self.rule, failures)]


@pytest.fixture
def world(invented: Any) -> World:
    invented.add(range(100))
    session = invented.open()
    items = Items(session)
    items.update()
    return World(items, Overviewer(session, items).update(), now=float(items["recorded_at"].max()) + 10)


def test_a_session_that_goes_well_has_none(world: World) -> None:
    assert world.look() == []


@pytest.mark.parametrize(
    ("measure", "usual", "between", "bad", "name"),
    [
        ("ctf_resolution", 3.0, None, 20.0, "CTF"),
        ("astigmatism", 100.0, 400.0, 600.0, "Astigmatism"),
        ("total_motion", 6.0, 10.5, 14.0, "Motion"),
        ("mean_counts", 1.0, 0.9, 0.8, "Counts"),
    ],
)
def test_an_episode_is_raised_once_and_cleared_at_a_lower_level(
    world: World, measure: str, usual: float, between: float | None, bad: float, name: str
) -> None:
    values = world.items[measure]
    values[:] = usual
    assert world.look() == []
    values[-20:] = bad
    assert world.look() == [name]
    assert world.look() == []
    if between is None:
        values[-14:] = usual
    else:
        values[-20:] = between
    assert world.look() == []
    assert [alarm.name for alarm in world.alarms.active] == [name]
    values[-20:] = usual
    world.look()
    assert world.alarms.active == []
    if between is not None:
        values[-20:] = between
        assert world.look() == []


def test_whoever_begins_to_look_later_is_told_the_same_beginning(world: World, invented: Any) -> None:
    invented.fail(1, "align", "no frames")
    arrived, failure = world.items["recorded_at"], invented.open().failures()[0]
    for measure, bad in {
        "ctf_resolution": 20.0,
        "astigmatism": 600.0,
        "total_motion": 100.0,
        "mean_counts": 0.5,
    }.items():
        values = world.items[measure]
        values[:] = 1.0
        values[60:] = bad
    failures = [replace(failure, at=float(arrived[70]) + second) for second in range(40)]
    world.overview = replace(world.overview, finished=0, acquisition_rate=600.0, processing_rate=300.0)
    world.look(failures)
    first = {alarm.name: alarm for alarm in world.alarms.active}
    # Ten bad ones are half of the newest twenty, eleven their median; 18 failures are 30 % of half an hour.
    assert {name: alarm.since - arrived[0] for name, alarm in first.items()} == {
        "CTF": 69 * 30,
        "Astigmatism": 70 * 30,
        "Motion": 69 * 30,
        "Counts": 69 * 30,
        "Failures": 70 * 30 + 17,
        "Queue": 0,
    }
    assert all(alarm.is_recorded for alarm in first.values())
    world.now += 300
    world.__post_init__()
    world.look(failures)
    assert {alarm.name: alarm.since for alarm in world.alarms.active} == {
        name: alarm.since for name, alarm in first.items()
    }


def test_one_bad_micrograph_is_no_alarm(world: World) -> None:
    for measure in ("ctf_resolution", "astigmatism", "total_motion"):
        world.items[measure][-1] = 1e6
    assert world.look() == []


def test_the_limit_of_the_selection_is_that_of_the_ctf(world: World) -> None:
    world.rule = Rule("select", {"max_ctf_resolution": 3.2})
    assert world.look() == ["CTF"]
    assert "do not reach 3.2 Å" in world.alarms.active[0].message


def test_acquisition_has_stalled_after_long_silence_only_while_more_is_expected(world: World) -> None:
    world.now += 580
    assert world.look() == []
    world.now += 60
    assert world.look() == ["Acquisition"]
    assert "one came every 30 s" in world.alarms.active[0].message
    # Whoever looks later is told the same.
    last = float(np.nanmax(world.items["recorded_at"]))
    assert world.alarms.active[0].since == pytest.approx(last + 600, rel=0, abs=1)
    world.overview = replace(world.overview, arriving=False)
    assert world.look() == []
    assert world.alarms.active == []


def test_files_that_were_there_already_tell_no_pace_of_the_microscope(world: World) -> None:
    arrived = world.items["recorded_at"]
    arrived[:] = arrived.max() + np.linspace(-1, 0, arrived.size)
    world.now += 580
    assert world.look() == []
    world.now += 60
    assert world.look() == ["Acquisition"]
    assert "one came every 30 s" in world.alarms.active[0].message


def test_what_is_acknowledged_presses_no_more_until_it_comes_again(world: World) -> None:
    world.free = 5 * GIB
    assert world.look() == ["Disk"]
    world.alarms.acknowledge("Disk", world.now - SHIFT - 1)
    assert [alarm.name for alarm in world.alarms.pressing] == ["Disk"]
    world.alarms.acknowledge("Disk", world.now - SHIFT + 60)
    world.alarms.acknowledge("CTF", world.now)
    assert world.alarms.pressing == []
    assert len(world.alarms.active) == 1
    world.free = 22 * GIB
    world.look()
    assert world.alarms.pressing == []
    world.free = 100 * GIB
    world.look()
    world.free = 5 * GIB
    assert world.look() == ["Disk"]
    assert [alarm.name for alarm in world.alarms.pressing] == ["Disk"]


def test_failures_press_when_they_are_many_among_what_came(world: World, invented: Any) -> None:
    invented.fail(1, "align", "no frames")
    failure = replace(invented.open().failures()[0], at=world.now)
    assert world.look([failure] * 4) == []
    assert world.look([failure] * 40) == ["Failures"]
    assert world.look([replace(failure, at=world.now - 3600)] * 40) == []
    assert world.alarms.active == []


def test_a_place_that_is_away_presses_until_it_is_back(world: World) -> None:
    away = [Away(run=run, place="/data/epu", since=world.now - second) for run, second in (("align", 60), ("ctf", 90))]
    world.overview = replace(world.overview, away=tuple(away))
    assert world.look() == ["Storage"]
    (alarm,) = world.alarms.active
    assert alarm.message.startswith("/data/epu cannot be reached. Items of align, ctf wait")
    assert (alarm.since, alarm.level, alarm.is_recorded) == (world.now - 90, "error", True)
    world.overview = replace(world.overview, away=())
    assert world.look() == world.alarms.active == []


def test_an_engine_that_is_gone_and_one_that_falls_behind_press(world: World) -> None:
    counts = {**world.overview.counts, "arrival": 300}
    world.overview = replace(world.overview, counts=counts, acquisition_rate=600.0, processing_rate=300.0)
    assert world.look() == ["Queue"]
    world.overview = replace(world.overview, state="crashed", processing_rate=np.nan)
    assert world.look() == ["Engine"]
    assert [alarm.name for alarm in world.alarms.active] == ["Engine"]
