"""``emlab``: every command, and errors in plain words."""

from __future__ import annotations

import signal
import sys
from types import FrameType
from typing import NoReturn

import typer
from rich.text import Text

from emlab.cli import (
    apply,
    cluster,
    curate,
    demo,
    doctor,
    export,
    launch,
    lessons,
    notify,
    repair,
    report,
    session,
    simulate,
    status,
    table,
    template,
    view,
)
from emlab.cli.terminal import aside
from emlab.errors import EmlabError
from emlab.version import __version__

app = typer.Typer(
    name="emlab",
    help="Process cryo-EM movies while the microscope writes them.\n\nStart with `emlab demo`.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def _version(asked: bool) -> None:
    if asked:
        print(f"emlab {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Show the version and exit."
    ),
) -> None:
    """Process cryo-EM movies while the microscope writes them."""


for module in (
    session,
    launch,
    template,
    status,
    view,
    table,
    report,
    export,
    curate,
    repair,
    demo,
    simulate,
    lessons,
    notify,
    doctor,
):
    module.add_to(app)
app.add_typer(apply.commands(), name="apply", rich_help_panel="Tools")
app.add_typer(cluster.commands(), name="cluster", rich_help_panel="Tools")
PANELS = {
    "Run a session": ("create", "start", "run", "pause", "resume", "stop", "launch", "template", "workflows"),
    "Look at a session": ("status", "view", "table", "report", "export"),
    "Change a session": ("reject", "restore", "annotate", "acknowledge", "change", "retry"),
    "Tools": ("repair", "notify", "demo", "simulate", "lessons", "doctor"),
}
"""The commands as `emlab --help` groups them."""
for command in app.registered_commands:
    name = command.name or getattr(command.callback, "__name__", "")
    command.rich_help_panel = next(panel for panel, names in PANELS.items() if name in names)


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    """End as after an error, so that what was started is ended too."""
    sys.exit(128 + number)


def main() -> None:
    """Run the command line; emlab's own errors become a sentence and exit code 1."""
    signal.signal(signal.SIGTERM, _leave)
    try:
        app()
    except EmlabError as error:
        aside.print(Text.assemble((type(error).__name__, "bold red"), f": {error}"))
        sys.exit(1)
