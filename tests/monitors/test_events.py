"""The newest events, each read once."""

from __future__ import annotations

from typing import Any

from emlab.monitors import Events


def test_events_are_read_once_and_only_the_newest_are_kept(invented: Any) -> None:
    events = Events(invented.open())
    with invented.ledger.transaction():
        for number in range(150):
            invented.ledger.add_event("info", f"event {number}")
    assert events.update() == 150
    assert events.update() == 0
    assert [event.message for event in events.recent] == [f"event {number}" for number in range(50, 150)]
