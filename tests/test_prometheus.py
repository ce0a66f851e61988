"""A session's status as Prometheus reads it."""

from __future__ import annotations

from typing import Any

from emlab.prometheus import exposition
from emlab.status import status_of


def test_every_figure_is_a_sample_of_its_session_and_step(invented: Any) -> None:
    invented.add(range(6))
    invented.fail(7, "ctf", "no rings")
    with invented.open() as session:
        text = exposition([status_of(session)])
        who = f'session="Grid <b>7</b>",path="{session.path}"'
    lines = text.splitlines()
    assert f"emlab_up{{{who}}} 1" in lines
    assert f'emlab_state{{{who},state="running"}} 1' in lines
    assert f'emlab_alarm{{{who},alarm="Acquisition",level="warning"}} 1' in lines  # nothing came since 2023
    assert f'emlab_items_done_total{{{who},step="ctf"}} 6' in lines
    assert f'emlab_items_failed{{{who},step="ctf"}} 1' in lines
    names = {line.partition("{")[0] for line in lines if not line.startswith("#")}
    typed = {line.split()[2] for line in lines if line.startswith("# TYPE ")}
    assert names == typed
    assert text.endswith("\n")


def test_a_name_cannot_break_out_of_its_quotes() -> None:
    status = {"name": 'a"\\\n', "path": "/a", "state": "finished", "stages": {}, "alarms": [], "seconds_left": None}
    text = exposition([{**status, "engine": {"cpu_seconds": 0.0}}])
    assert 'emlab_up{session="a\\"\\\\\\n",path="/a"} 0' in text.splitlines()


def test_a_session_that_is_paused_is_up(invented: Any) -> None:
    with invented.open() as session:
        status = status_of(session)
    for state, is_up in {"running": 1, "paused": 1, "stopped": 0, "crashed": 0}.items():
        assert f'path="{invented.path}"}} {is_up}' in exposition([status | {"state": state}]).splitlines()[2]
