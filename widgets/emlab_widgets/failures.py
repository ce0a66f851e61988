"""What went wrong, in plain words."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from emlab.monitors import clock, moment
from emlab.sets import Event, Failure
from emlab_widgets.html import Html, empty, folded, table


def failures(failed: Sequence[Failure]) -> Html:
    """Give the items that were given up, each with its error and where that came from."""
    if not failed:
        return Html(empty("Nothing failed."))
    rows = [
        (
            failure.key,
            failure.run,
            str(failure.attempt),
            Html(escape(failure.message) + folded(failure.error, f"<pre>{escape(failure.traceback)}</pre>")),
            moment(failure.at),
        )
        for failure in failed
    ]
    return Html(table(("Item", "Run", "Attempts", "What happened", "When"), rows, numbers=(2,)))


def events(noted: Sequence[Event]) -> Html:
    """Give what a person may want to know, the newest first."""
    if not noted:
        return Html(empty("Nothing to tell yet."))
    rows = [(clock(event.at), event.level, event.run or "", event.message) for event in reversed(noted)]
    return Html(table(("When", "Kind", "Run", "What happened"), rows))
