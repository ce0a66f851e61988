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
    session: Path = SESSION,
    items: list[str] = ITEMS,
    reason: str = typer.Option("", help="The reason, recorded for others."),
) -> None:
    """Reject micrographs by hand, whatever the limits say.

    They count as rejected in tables, exports and reports. What was already made from them stays, also in the classes.
    """
    with open_session(session) as opened:
        opened.reject(items, reason)


def restore(
    session: Path = SESSION,
    items: list[str] = ITEMS,
    reason: str = typer.Option("", help="The reason, recorded for others."),
) -> None:
    """Accept micrographs by hand, whatever the limits say.

    They count as accepted in tables, exports and reports, and their particles are picked and classified too.
    """
    with open_session(session) as opened:
        if opened.restore(items, reason) and opened.state in {"stopped", "crashed"}:
            console.print(f"To continue: emlab resume {quote(str(session))}")


def annotate(
    session: Path = SESSION, item: str = typer.Argument(help="A micrograph's name."), note: str = typer.Argument()
) -> None:
    """Add a note to a micrograph."""
    with open_session(session) as opened:
        opened.annotate(item, note)


def acknowledge(
    session: Path = SESSION, alarm: str = typer.Argument(help="The alarm's name as in `emlab status`, such as Disk.")
) -> None:
    """Acknowledge an alarm: no more notices of it until it occurs again."""
    with open_session(session) as opened:
        if alarm not in CHECKS:
            raise ParameterError(f"There is no alarm {alarm!r}; there are: {', '.join(CHECKS)}.")
        opened.acknowledge(alarm)


def change(
    session: Path = SESSION,
    step: str = typer.Argument(help="The step's name as in `emlab status`."),
    values: list[str] = typer.Argument(metavar="NAME=VALUE…", help=f"The parameters to change; {LEFT_OPEN}"),
) -> None:
    """Repeat a step, and those that build on it, with other parameters; earlier results stay.

    For example: emlab change sessions/monday select max_ctf_resolution=5
    """
    with open_session(session) as opened:
        runs = opened.change(step, **named(values))
        console.print(f"New runs: {', '.join(runs)}.")
        if not opened.is_running:
            console.print(f"To start them: emlab resume {quote(str(session))}")


def retry(
    session: Path = SESSION,
    step: str = typer.Argument(None, help="Only items that failed in this step, named as in `emlab status`."),
    items: list[str] = typer.Argument(None, metavar="[ITEM]…", help="Only these items."),
) -> None:
    """Retry failed items, for example after an outage that lasted longer than items wait.

    Finished items stay as they are. The failures stay on record, with the name of who asked for the retry.
    """
    with open_session(session) as opened:
        found = opened.retry(step, items or [])
        console.print(f"{counted(found, 'item')} will be retried." if found else "No failed items.")
        if found and opened.state in {"stopped", "crashed"}:
            console.print(f"To continue: emlab resume {quote(str(session))}")
