"""``emlab reject``, ``restore``, ``annotate``, ``acknowledge``, ``change``, ``retry``: what a person decides."""

from __future__ import annotations

from pathlib import Path
from shlex import quote

import typer

from emlab.cli.terminal import console
from emlab.cli.values import LEFT_OPEN, named
from emlab.errors import ParameterError
from emlab.monitors import counted
from emlab.monitors.checks import CHECKS
from emlab.session import open_session

SESSION = typer.Argument(help="The session's folder.", show_default=False)
ITEMS = typer.Argument(metavar="ITEM…", help="Names of micrographs, as tables and the live view show them.")


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (reject, restore, annotate, acknowledge, change, retry):
        app.command()(command)


def reject(
    session: Path = SESSION, items: list[str] = ITEMS, reason: str = typer.Option("", help="Why, for others.")
) -> None:
    """Take micrographs out by hand, whatever the limits say of them.

    They count as rejected in tables, exports and reports. What was made of them stays, also in the classes.
    """
    with open_session(session) as opened:
        opened.reject(items, reason)


def restore(
    session: Path = SESSION, items: list[str] = ITEMS, reason: str = typer.Option("", help="Why, for others.")
) -> None:
    """Let micrographs go on by hand, whatever the limits say of them.

    They count as accepted in tables, exports and reports, and particles are picked and classified as in others.
    """
    with open_session(session) as opened:
        if opened.restore(items, reason) and opened.state in {"stopped", "crashed"}:
            console.print(f"Go on with: emlab resume {quote(str(session))}")


def annotate(
    session: Path = SESSION, item: str = typer.Argument(help="A micrograph's name."), note: str = typer.Argument()
) -> None:
    """Note something about a micrograph."""
    with open_session(session) as opened:
        opened.annotate(item, note)


def acknowledge(
    session: Path = SESSION, alarm: str = typer.Argument(help="Its name, as `emlab status` gives it: Disk, say.")
) -> None:
    """Say that you know of an alarm: nobody is told of it again until it comes anew."""
    with open_session(session) as opened:
        if alarm not in CHECKS:
            raise ParameterError(f"There is no alarm {alarm!r}; there are: {', '.join(CHECKS)}.")
        opened.acknowledge(alarm)


def change(
    session: Path = SESSION,
    step: str = typer.Argument(help="The step, as `emlab status` calls it."),
    values: list[str] = typer.Argument(metavar="NAME=VALUE…", help=f"Its parameters that change; {LEFT_OPEN}"),
) -> None:
    """Do a step anew with other parameters, and what builds on it; what was made before stays beside it.

    For example: emlab change sessions/monday select max_ctf_resolution=5
    """
    with open_session(session) as opened:
        runs = opened.change(step, **named(values))
        console.print(f"New runs: {', '.join(runs)}.")
        if not opened.is_running:
            console.print(f"They begin with: emlab resume {quote(str(session))}")


def retry(
    session: Path = SESSION,
    step: str = typer.Argument(None, help="Only what this step gave up, as `emlab status` calls it."),
    items: list[str] = typer.Argument(None, metavar="[ITEM]…", help="Only these."),
) -> None:
    """Try again what was given up: after an outage that lasted for longer than items wait, say.

    What is done stays as it is, and what had failed stays on record, with who had it tried again.
    """
    with open_session(session) as opened:
        found = opened.retry(step, items or [])
        console.print(f"{counted(found, 'item')} tried again." if found else "Nothing was given up.")
        if found and opened.state in {"stopped", "crashed"}:
            console.print(f"Go on with: emlab resume {quote(str(session))}")
