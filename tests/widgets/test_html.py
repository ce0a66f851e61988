"""Names and messages are text, never markup."""

from __future__ import annotations

from typing import Any

from emlab_widgets.failures import SHOWN, events, failures
from emlab_widgets.html import Html, facts, table

from emlab.sets import Event, Failure

EVIL = "<script>alert(1)</script>"


def test_cells_and_facts_are_escaped_unless_they_are_html() -> None:
    made = table((EVIL,), [(EVIL,), (Html("<i>fine</i>"),)]) + facts([(EVIL, EVIL)])
    assert "<script>" not in made
    assert made.count("&lt;script&gt;") == 4
    assert "<i>fine</i>" in made


def failure(number: int) -> Failure:
    return Failure(
        number=number, run=EVIL, key=EVIL, attempt=2, final=True, error=EVIL, message=EVIL, traceback=EVIL, at=0.0
    )


def test_failures_are_escaped_and_many_are_folded_away() -> None:
    assert "<script>" not in failures([failure(1)]).text
    assert "No failures." in failures([]).text
    many = failures([failure(number) for number in range(SHOWN + 3)]).text
    assert "<summary>3 more</summary>" in many
    assert many.count("<li ") == SHOWN + 3


def test_events_are_the_newest_first() -> None:
    def event(number: int, **where: Any) -> Event:
        return Event(number=number, at=float(number), level="warning", message=f"message {number}", **where)

    text = events([event(1), event(2, run="align", key="item_2")]).text
    assert text.index("message 2") < text.index("message 1")
    assert "align · item_2 ·" in text
