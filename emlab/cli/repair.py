"""``emlab repair``: a session whose database is damaged."""

from __future__ import annotations

from pathlib import Path

import typer

from emlab.repair import repair_session


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(repair)


def repair(session: Path = typer.Argument(help="The session's folder.", show_default=False)) -> None:
    """Rebuild a session's damaged database of what can be read of it.

    Records whose rows and outputs are whole are kept; `emlab resume` does the rest again. The damaged database stays
    beside the new one.
    """
    done = repair_session(session)
    if done.damaged is None:
        print(f"The database of {session} is sound; nothing was changed.")
        return
    rest = "everything" if done.lost is None else f"what the other {done.lost:,} were of"
    print(f"{done.kept:,} records are kept. `emlab resume {session}` does {rest} again.")
    print(f"The damaged database is {done.damaged}")
