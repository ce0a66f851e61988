"""``emlab view``: the live view of a session in a browser."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import typer
from rich.console import Console

from emlab.errors import ProgramError
from emlab.session import open_session

console = Console()


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(view)


def view(
    session: Path = typer.Argument(help="The session's folder.", show_default=False),
    port: int = typer.Option(0, help="Of this machine; 0 for any that is free."),
) -> None:
    """Serve the live view of a session until Ctrl-C; it only looks, and needs the token in its address."""
    open_session(session).close()
    with served(session, port) as (address, server):
        console.print(f"Live view: {address}", highlight=False, soft_wrap=True)
        try:
            server.wait()
        except KeyboardInterrupt:
            console.print("The live view has ended; the session goes on.", highlight=False)


@contextmanager
def served(session: Path, port: int = 0, log: Path | None = None) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Serve the live view inside the block: its address, and the server's process.

    Raises
    ------
    ProgramError
        If Voila or ipywidgets is not installed, or the server does not start.
    """
    if missing := [name for name in ("voila", "ipywidgets", "bqplot", "anywidget") if find_spec(name) is None]:
        raise ProgramError(f"The live view needs {', '.join(missing)}. Install it: pip install 'emlab[app]'.")
    command = [sys.executable, "-m", "emlab_widgets", str(session), "--port", str(port)]
    with (log or Path("/dev/null")).open("w") as errors:
        server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, text=True)
    assert server.stdout is not None  # noqa: S101
    with server.stdout:
        address = server.stdout.readline().strip()
    if not address:
        raise ProgramError(f"The live view did not start: exit code {server.wait()}.")
    try:
        yield address, server
    finally:
        server.terminate()
        server.wait()
