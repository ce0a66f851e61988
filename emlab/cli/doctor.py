"""``emlab doctor``: what is there, and what to install for what is not."""

from __future__ import annotations

from pathlib import Path

import typer
from rich.table import Table
from rich.text import Text

from emlab.cli.terminal import console
from emlab.engine.doctor import examine

MARKS = {True: ("✓", "green"), False: ("✗", "red"), None: ("–", "dim")}


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(doctor)


def doctor(folder: Path = typer.Argument(Path(), help="The folder for sessions.")) -> None:
    """Check what this machine offers emlab, and say what to install."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for finding in examine(folder):
        table.add_row(Text(*MARKS[finding.ok]), finding.name, finding.found)
        if finding.advice:
            table.add_row("", "", Text(finding.advice, "dim"))
    console.print(table, soft_wrap=False)
