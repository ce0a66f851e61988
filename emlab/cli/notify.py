"""``emlab notify``: who is told of alarms, and whether that works."""

from __future__ import annotations

import socket

import typer

from emlab.cli.terminal import console
from emlab.errors import ProgramError
from emlab.monitors.notices import VARIABLE, Notice, address_book, addressees

NOTIFY = typer.Option(
    None,
    metavar="NAME",
    help="Whom to tell of alarms beside those who are told of every session; see `emlab notify --help`.",
)


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(notify)


def notify(names: list[str] = typer.Argument(None, metavar="[NAME]…", help="As they stand in the file.")) -> None:
    """Send a trial message to those who are told of alarms, and of the end, of sessions.

    Their addresses are Apprise's (mail, Slack, Teams, Telegram, …: https://github.com/caronc/apprise/wiki), one a line
    of ~/.config/emlab/notify, a file that only you can read. "night = mailto://…" is told of the sessions that are
    started with --notify night; an address without a name, and those in $EMLAB_NOTIFY, of every session.
    """
    found = addressees(names or [])
    if not found:
        raise ProgramError(f"There is nobody to tell: write an address into {address_book()}, or into ${VARIABLE}.")
    notice = Notice("info", "emlab: a trial", f"This is how emlab on {socket.gethostname()} tells you of alarms.")
    unreached = [addressee.address for addressee in found if not addressee.tell(notice)]
    for addressee in found:
        console.print(f"{'Not reached' if addressee.address in unreached else 'Told'}: {addressee.address}")
    if unreached:
        raise typer.Exit(1)
