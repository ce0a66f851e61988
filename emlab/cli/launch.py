"""``emlab launch``: the form that starts sessions, in a browser."""

from __future__ import annotations

import webbrowser
from pathlib import Path

import typer

from emlab.cli.page import served
from emlab.cli.terminal import console
from emlab.workflow import questions_of, read_workflow


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(launch)


def launch(
    sessions: Path = typer.Option(Path("sessions"), help="The folder in which sessions are created."),
    template: str = typer.Option(
        None, help="A file with one more template to offer; `emlab workflows` lists the known ones."
    ),
    port: int = typer.Option(0, help="The port to listen on; 0 for any free one."),
    browser: bool = typer.Option(False, "--browser", help="Open the page in this machine's browser."),
) -> None:
    """Serve the form that starts sessions, and their live views, until Ctrl-C.

    The pages need the token in the address. Sessions keep running when this ends.
    """
    arguments = ["--sessions", str(sessions.resolve())]
    if template is not None:
        questions_of(read_workflow(template))
        path = Path(template)
        arguments += ["--template", str(path.resolve()) if path.is_file() else template]
    with served(arguments, port) as (address, server):
        console.print(f"Start a session: {address}")
        if browser:
            webbrowser.open(address)
        try:
            server.wait()
        except KeyboardInterrupt:
            console.print("The form is closed; sessions keep running.")
