"""What the session is, and how it stands."""

from __future__ import annotations

import time
from functools import cache
from html import escape
from pathlib import Path

from emlab.monitors import Items, Overview, duration, moment
from emlab.session import Session
from emlab_widgets import theme
from emlab_widgets.html import Html, facts
from emlab_widgets.strip import badge, pace, strip


def header(session: Session, items: Items, overview: Overview) -> Html:
    """Give the report's head: name, state, dates and counts."""
    dates = [("Workflow", session.workflow.title), ("Created", moment(session.created_at))]
    if (span := items.acquired_span) is not None:
        dates += [
            ("First acquired", moment(span[0])),
            ("Last acquired", moment(span[1])),
            ("Acquisition took", duration(span[1] - span[0])),
        ]
    dates.append(("This report", moment(time.time())))
    return Html(
        f"<style>{theme.stylesheet()}{_stylesheet()}</style>"
        f'<header class="emlab"><h1>{escape(session.name)} {badge(session.state)}</h1>'
        f"{strip(overview)}{pace(overview)}{facts(dates)}</header>"
    )


@cache
def _stylesheet() -> str:
    return Path(__file__).with_name("report.css").read_text(encoding="utf-8")
