"""``emlab repair``: a session whose database is damaged."""

from __future__ import annotations

from pathlib import Path

import typer

from emlab.repair import repair_session


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(repair)


def repair(session: Path = typer.Argument(help="The session's folder.", show_default=False)) -> None:
    """Rebuild a session's damaged database from what can still be read.

    Records whose rows and outputs are intact are kept; `emlab resume` redoes the rest. The damaged database stays
    beside the new one.
    """
    done = repair_session(session)
    if done.damaged is None:
        print(f"The database of {session} is intact; nothing was changed.")
        return
    rest = "everything else" if done.lost is None else f"the other {done.lost:,}"
    print(f"{done.kept:,} records are kept. `emlab resume {session}` redoes {rest}.")
    print(f"The damaged database is {done.damaged}")
