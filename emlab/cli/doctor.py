"""``emlab doctor``: what is there, and what to install for what is not."""

from __future__ import annotations

from pathlib import Path

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from emlab.engine.doctor import examine

MARKS = {True: "[green]✓[/]", False: "[red]✗[/]", None: "[dim]–[/]"}


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(doctor)


def doctor(folder: Path = typer.Argument(Path(), help="Where sessions are to be.")) -> None:
    """Say what this machine has for emlab, and what to install for what it has not."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for finding in examine(folder):
        table.add_row(MARKS[finding.ok], finding.name, escape(finding.found))
        if finding.advice:
            table.add_row("", "", f"[dim]{escape(finding.advice)}[/]")
    Console().print(table)
