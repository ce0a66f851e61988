"""What went wrong and what else there is to tell, in plain words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from emlab.monitors import counted, moment
from emlab.sets import Event, Failure
from emlab_widgets.html import Html, empty, folded

_LEVELS = {"info": "Note", "warning": "Warning", "error": "Error"}
SHOWN = 20
"""Lines of a list that are not folded away."""


def failures(failed: Sequence[Failure]) -> Html:
    """Give the items that were given up, each with its error and where that came from."""
    if not failed:
        return Html(empty("No failures."))
    return _listed(
        _line(
            failure.key,
            (failure.run, counted(failure.attempt, "attempt"), moment(failure.at)),
            failure.message,
            folded(failure.error, f"<pre>{escape(failure.traceback)}</pre>"),
        )
        for failure in failed
    )


def events(noted: Sequence[Event]) -> Html:
    """Give what a person may want to know, the newest first."""
    if not noted:
        return Html(empty("Nothing to report."))
    return _listed(
        _line(_LEVELS[event.level], (event.run, event.key, moment(event.at)), event.message, "", event.level)
        for event in reversed(noted)
    )


def _listed(lines: Iterable[str]) -> Html:
    """Give a list whose end is folded away where it is long."""
    all_lines = list(lines)
    first, rest = "".join(all_lines[:SHOWN]), "".join(all_lines[SHOWN:])
    more = folded(f"{len(all_lines) - SHOWN:,} more", f'<ul class="emlab-troubles">{rest}</ul>') if rest else ""
    return Html(f'<ul class="emlab-troubles">{first}</ul>{more}')


def _line(title: str, circumstances: Iterable[str | None], sentence: str, more: str, level: str = "error") -> str:
    small = " · ".join(filter(None, circumstances))
    return (
        f'<li class="emlab-{escape(level)}"><b>{escape(title)}</b> <small>{escape(small)}</small>'
        f"<p>{escape(sentence)}</p>{more}</li>"
    )
