"""A session's status as Prometheus reads it."""

from __future__ import annotations

from typing import Any

from emlab.prometheus import exposition
from emlab.status import status_of


def test_every_figure_is_a_sample_of_its_session_and_step(invented: Any) -> None:
    invented.add(range(6))
    invented.fail(7, "ctf", "no rings")
    with invented.open() as session:
        text = exposition(status_of(session))
    lines = text.splitlines()
    assert 'emlab_up{session="Grid <b>7</b>"} 1' in lines
    assert 'emlab_items_done_total{session="Grid <b>7</b>",step="ctf"} 6' in lines
    assert 'emlab_items_failed{session="Grid <b>7</b>",step="ctf"} 1' in lines
    names = {line.partition("{")[0] for line in lines if not line.startswith("#")}
    typed = {line.split()[2] for line in lines if line.startswith("# TYPE ")}
    assert names == typed
    assert text.endswith("\n")


def test_a_name_cannot_break_out_of_its_quotes() -> None:
    engine = {"cpu_seconds": 0.0}
    status = {"name": 'a"\\\n', "state": "finished", "stages": {}, "engine": engine, "seconds_left": None}
    assert 'emlab_up{session="a\\"\\\\\\n"} 0' in exposition(status).splitlines()
