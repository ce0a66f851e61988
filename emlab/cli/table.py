"""``emlab table``: every micrograph and its measures, for a spreadsheet."""

from __future__ import annotations

from pathlib import Path

import typer

from emlab.monitors import Items
from emlab.session import open_session


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(table)


def table(session: Path = typer.Argument(help="The session's folder.", show_default=False)) -> None:
    """Print every micrograph and its measures as CSV (Å, degrees, e/Å², seconds since 1970).

    For example: emlab table sessions/monday > monday.csv
    """
    with open_session(session) as opened:
        items = Items(opened)
        items.update()
        print(items.to_csv(), end="")
