"""What is compiled is compiled before the first movie, by processing a tiny one."""

from __future__ import annotations

import pytest

from emlab.engine import warm_up as module
from emlab.engine.apply import Application


def test_a_tiny_movie_goes_through_motion_and_ctf_without_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    records = []
    run = Application.run

    def recorded(self: Application, *arguments: object) -> object:
        for record in run(self, *arguments):  # type: ignore[arg-type]
            records.append((self.protocol.name, record.get("error")))
            yield record

    monkeypatch.setattr(Application, "run", recorded)
    module.warm_up()
    assert records == [("align_movie", None), ("estimate_ctf", None)]
