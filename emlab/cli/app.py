"""``emlab``: every command, and errors in plain words."""

from __future__ import annotations

import signal
import sys
from types import FrameType
from typing import NoReturn

import typer
from rich.console import Console

from emlab.cli import (
    apply,
    cluster,
    curate,
    demo,
    doctor,
    export,
    launch,
    lessons,
    repair,
    report,
    session,
    simulate,
    template,
    view,
)
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
def _options(version: bool = typer.Option(False, "--version", callback=_version, is_eager=True)) -> None:
    """Process cryo-EM movies while the microscope writes them."""


session.add_to(app)
for module in (launch, lessons, report, template, curate, export, repair, demo, view, simulate, doctor):
    module.add_to(app)
app.add_typer(apply.commands(), name="apply")
app.add_typer(cluster.commands(), name="cluster")


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    """End as after an error, so that what was started is ended too."""
    sys.exit(128 + number)


def main() -> None:
    """Run the command line; emlab's own errors become a sentence and exit code 1."""
    signal.signal(signal.SIGTERM, _leave)
    try:
        app()
    except EmlabError as error:
        Console(stderr=True).print(f"[bold red]{type(error).__name__}[/]: {error}", highlight=False, soft_wrap=True)
        sys.exit(1)
