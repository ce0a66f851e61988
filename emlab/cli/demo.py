"""``emlab simulate``: a microscope that writes movies."""

from __future__ import annotations

import typer


def add_to(app: typer.Typer) -> None:
    """Add the command."""
