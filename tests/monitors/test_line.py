"""One of several ways through a session, as monitors see it."""

from __future__ import annotations

from typing import Any

from emlab.monitors import Items, Line, Overviewer


def test_an_overview_of_one_line_has_its_runs_alone(invented: Any) -> None:
    invented.add(range(6))
    invented.fail(7, "ctf", "no rings")
    invented.fail(7, "select", "no rings")
    with invented.open() as session:
        line = Line(session, "ctfs")
        items = Items(line)
        items.update()
        overview = Overviewer(line, items).update()
    assert [stage.name for stage in overview.stages][-1] == "ctf"
    assert overview.stages[-1].done == 6
    assert overview.failed == 1
