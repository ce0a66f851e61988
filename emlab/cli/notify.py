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
    help="Also send this session's alarms to NAME; see `emlab notify --help`.",
)


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(notify)


def notify(names: list[str] = typer.Argument(None, metavar="[NAME]…", help="Names from the file.")) -> None:
    """Send a test message to those who are notified of alarms and of the end of sessions.

    Write addresses, one per line, into ~/.config/emlab/notify, a file that only you can read. They have Apprise's form
    (mail, Slack, Teams, Telegram, …: https://github.com/caronc/apprise/wiki). "night = mailto://…" gets the messages
    of sessions started with --notify night; an address without a name, or in $EMLAB_NOTIFY, those of every session.
    """
    found = addressees(names or [])
    if not found:
        raise ProgramError(f"There is nobody to notify: write an address into {address_book()}, or into ${VARIABLE}.")
    notice = Notice(
        "info", "emlab: a test", f"This is a test: emlab on {socket.gethostname()} will send you alarms like this."
    )
    unreached = [addressee.address for addressee in found if not addressee.tell(notice)]
    for addressee in found:
        console.print(f"{'Not reached' if addressee.address in unreached else 'Sent to'}: {addressee.address}")
    if unreached:
        raise typer.Exit(1)
