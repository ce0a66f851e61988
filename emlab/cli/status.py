"""``emlab status``: how far sessions are, for people, scripts and Prometheus."""

from __future__ import annotations

import json
from pathlib import Path
from shlex import quote
from typing import Any

import typer
from rich.text import Text

from emlab.cli.follow import follow, table_of
from emlab.cli.terminal import console
from emlab.errors import ParameterError
from emlab.monitors import Items, Overviewer
from emlab.prometheus import exposition
from emlab.session import Session, open_session
from emlab.status import status_of

SHOWN = 10
"""Failures that are told of; the newest."""
FAILED = ("failed ", "red")
LEVELS = {"error": "bold red", "warning": "bold yellow"}
"""The colour of an alarm's name."""


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(status)


def status(
    sessions: list[Path] = typer.Argument(
        metavar="SESSION…", help="Session folders, for example sessions/*.", show_default=False
    ),
    as_json: bool = typer.Option(False, "--json", help="Print one JSON object; for several sessions, a list."),
    metrics: bool = typer.Option(False, "--prometheus", help="Print metrics for Prometheus."),
    watch: bool = typer.Option(False, "--follow", help="Keep showing it until the session ends."),
) -> None:
    """Show a session's progress: what waits, what failed, what is wrong, and how long it will take."""
    if watch and len(sessions) > 1:
        raise ParameterError(f"Only one session can be followed at a time; you gave {len(sessions)}.")
    found = []
    for folder in sessions:
        with open_session(folder) as session:
            if watch:
                follow(session, console, until=lambda: not session.is_running)
            found.append(status_of(session))
            if not as_json and not metrics:
                _show(session, folder, found[-1])
    if as_json:
        print(json.dumps(found if len(found) > 1 else found[0], indent=2))
    elif metrics:
        print(exposition(found), end="")


def _show(session: Session, folder: Path, found: dict[str, Any]) -> None:
    items = Items(session)
    items.update()
    overview = Overviewer(session, items).update()
    console.print(Text.assemble((session.name, "bold"), f"  {overview.state}. {overview.pace} {overview.outlook}"))
    console.print(table_of(overview), soft_wrap=False)
    for alarm in found["alarms"]:
        known, style = (" (acknowledged)", "dim") if alarm["is_acknowledged"] else ("", LEVELS[alarm["level"]])
        console.print(Text.assemble((f"{alarm['name']}{known}: ", style), alarm["message"]))
    for sentence in found["now"]:
        console.print(sentence)
    console.print(found["engine"]["summary"], style="dim")
    failed = found["failures"]
    if (before := len(failed) - SHOWN) > 0:
        console.print(Text.assemble(FAILED, f"{before:,} earlier ones are not shown; `--json` lists them all."))
    for failure in failed[-SHOWN:]:
        console.print(Text.assemble(FAILED, f"{failure['run']} {failure['key']}: {failure['message']}"))
    if failed:
        console.print(f"Once the cause is fixed, retry them: emlab retry {quote(str(folder))}")
