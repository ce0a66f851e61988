"""A session's progress in a terminal."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from emlab.monitors import Items, Overview, Overviewer, clock, number
from emlab.session import Session


def table_of(overview: Overview) -> Table:
    """One row per run: what came in, what came out, what waits and what failed."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("step", "protocol"):
        table.add_column(heading)
    for heading in ("done", "running or waiting", "failed", "per hour", "s each"):
        table.add_column(heading, justify="right")
    for stage in overview.stages:
        failed = f"[red]{stage.failed:,}[/]" if stage.failed else "0"
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
    """Show the session's progress until ``until()``; in a file or a pipe, a line whenever something changes."""
    items = Items(session)
    overviewer = Overviewer(session, items)
    events = 0

    def look() -> Overview:
        nonlocal events
        items.update()
        for event in session.events(events + 1):
            events = event.number
            console.print(f"{clock(event.at)}  {event.message}", highlight=False)
        return overviewer.update()

    if console.is_terminal:
        with Live(console=console, refresh_per_second=8) as live:
            while not until():
                session.wait(0.5)
                overview = look()
                live.update(Group(table_of(overview), Text(f"{overview.pace} {overview.outlook}", style="dim")))
        return
    last = ""
    while not until():
        session.wait(1.0)
        line = look().line.partition("  ")[2]
        if line != last:
            console.print(line, highlight=False)
            last = line
