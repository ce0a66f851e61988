"""A session's progress in a terminal."""

from __future__ import annotations

import time
from collections.abc import Callable

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from emlab.monitors import Items, Overview, Overviewer, clock, number
from emlab.session import Session

PERIOD = 5.0
"""Seconds between lines, where they go to a file or a pipe."""


def table_of(overview: Overview) -> Table:
    """One row per run: what came in, what came out, what waits and what failed."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("step", "protocol"):
        table.add_column(heading)
    for heading in ("done", "running or waiting", "failed", "per hour", "s each"):
        table.add_column(heading, justify="right")
    for stage in overview.stages:
        failed = Text(f"{stage.failed:,}", "red" if stage.failed else "")
        table.add_row(
            stage.name,
            stage.protocol,
            f"{stage.done:,}",
            f"{stage.waiting:,}",
            failed,
            number(stage.rate),
            number(stage.seconds, 2),
        )
    return table


def follow(session: Session, console: Console, until: Callable[[], bool]) -> None:
    """Show the session's progress until ``until()``; in a file or a pipe, a line now and then."""
    items = Items(session)
    overviewer = Overviewer(session, items)
    events = 0

    def look() -> Overview:
        nonlocal events
        items.update()
        for event in session.events(events + 1):
            events = event.number
            console.print(f"{clock(event.at)}  {event.message}")
        return overviewer.update()

    if console.is_terminal:
        with Live(console=console, refresh_per_second=8) as live:
            while not until():
                session.wait(0.5)
                overview = look()
                live.update(Group(table_of(overview), Text(f"{overview.pace} {overview.outlook}", style="dim")))
        return
    due, last = 0.0, ""
    while not until():
        session.wait(1.0)
        progress = look().progress
        if progress != last and time.monotonic() >= due:
            console.print(progress)
            due, last = time.monotonic() + PERIOD, progress
    if (progress := look().progress) != last:
        console.print(progress)
