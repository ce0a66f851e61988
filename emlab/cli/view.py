"""``emlab view``: the live view of a session in a browser."""

from __future__ import annotations

import subprocess
from contextlib import AbstractContextManager
from pathlib import Path

import typer

from emlab.cli import page
from emlab.cli.terminal import console
from emlab.session import open_session


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(view)


def view(
    session: Path = typer.Argument(help="The session's folder.", show_default=False),
    port: int = typer.Option(0, help="The port to listen on; 0 for any free one."),
    read_only: bool = typer.Option(False, "--read-only", help="Serve a page for users, which cannot change anything."),
) -> None:
    """Serve a session's live view until Ctrl-C; whoever has the token in its address can use it."""
    open_session(session).close()
    with served(session, port, read_only=read_only) as (address, server):
        console.print(f"Live view: {address}")
        try:
            server.wait()
        except KeyboardInterrupt:
            console.print("The live view has ended; the session keeps running.")


def served(
    session: Path, port: int = 0, log: Path | None = None, *, read_only: bool = False
) -> AbstractContextManager[tuple[str, subprocess.Popen[str]]]:
    """Serve the live view inside a block; see `emlab.cli.page.served`."""
    return page.served([str(session), *(["--read-only"] if read_only else [])], port, log)
