"""Whoever asks is told what runs, and what waits for what."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from emlab.engine.absence import Absences
from emlab.engine.backlog import Progress
from emlab.engine.explanation import explanation


class Workers:
    def __init__(self, free: int) -> None:
        self._free = free

    def free(self, *, accelerated: bool) -> int:
        return self._free

    def describe(self) -> str:
        return "2 CPU workers"


def said(
    free: int = 1, state: str = "running", blocked_until: float = 0.0, lost: int = 0, **progress: Progress
) -> list[str]:
    inputs = {
        "align": ("movies",),
        "ctf": ("micrographs",),
        "select": ("micrographs", "ctfs"),
        "classify": ("particles",),
    }
    fold = {name: SimpleNamespace(is_fold=name == "classify") for name in inputs}
    stages = {name: SimpleNamespace(name=name, inputs=inputs[name], protocol=fold[name]) for name in progress}
    backlog: Any = SimpleNamespace(stages=stages, progress=progress, next_release=lambda: 104.0, lost=lambda _: lost)
    absences = Absences()
    absences.begin("align", "/data/epu", 90.0, 20.0)
    return explanation(backlog, Workers(free), state, 100.0, blocked_until, absences)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("expected", "arguments"),
    [
        ("Nothing is waiting: the engine is looking for files.", {"ctf": Progress(done=3)}),
        ("Everything is done; the last report is being written.", {"state": "finished", "ctf": Progress(done=3)}),
        ("The session is paused: nothing new starts until `emlab resume`.", {"state": "paused"}),
        (
            "The database cannot be written; its disk may be full. Everything waits; next attempt in 5 s.",
            {"blocked_until": 105.0},
        ),
        ("No worker is free yet on 2 CPU workers.", {"free": 0, "ctf": Progress(ready=1)}),
        ("classify: 3 items of particles gathered for a batch.", {"classify": Progress(waiting=3)}),
        ("ctf: 2 items running on 2 CPU workers.", {"ctf": Progress(running=2)}),
        ("ctf: 7 items ready, waiting for a free worker.", {"free": 0, "ctf": Progress(running=2, ready=7)}),
        ("select: 1 item waiting until micrographs and ctfs are both there.", {"select": Progress(waiting=1)}),
        ("Nothing is waiting: the engine is looking for files.", {"lost": 1, "select": Progress(waiting=1)}),
        (
            "align: 2 items waiting until /data/epu is back; next check in 10 s.",
            {"align": Progress(delayed=2)},
        ),
        ("Nothing is waiting: the engine is looking for files.", {"align": Progress(done=3)}),
        ("ctf: 1 item failed and will be retried, the next one in 4 s.", {"ctf": Progress(delayed=1)}),
    ],
)
def test_each_reason_is_a_sentence(expected: str, arguments: dict[str, Any]) -> None:
    assert expected in said(**arguments)
