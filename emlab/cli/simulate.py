"""``emlab simulate``: a microscope that writes movies."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import typer

from emlab.cli.terminal import console
from emlab.errors import ParameterError

FAULTS = "slow_writer, truncated, duplicate, missing_sidecar, foreign, blank"


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("simulate")(run)


def run(
    folder: Path = typer.Argument(help="Where to write; made if need be.", show_default=False),
    movies: int = typer.Option(12, help="How many.", min=1),
    pace: float = typer.Option(6.0, help="Seconds from one to the next.", min=0),
    size: int = typer.Option(1024, help="Height and width, px."),
    frames: int = typer.Option(24, help="Frames of a movie."),
    format: str = typer.Option("tiff", help="tiff (LZW), mrc or eer."),
    fault: list[str] = typer.Option([], help=f"What is to go wrong once; may be given several times: {FAULTS}."),
    seed: int = typer.Option(0, help="The same seed writes the same movies."),
) -> None:
    """Let a simulated microscope write movies, EPU's metadata and the truth into a folder."""
    from emlab.simulation import Fault, simulate

    if unknown := [name for name in fault if name not in list(Fault)]:
        raise ParameterError(f"There is no fault {', '.join(unknown)}; there are: {FAULTS}.")
    faults = [Fault(name) for name in fault]
    console.print(f"Writing {movies} movies to {folder}, one every {pace:g} s.")
    for written in simulate(
        folder,
        movies=movies,
        pace=pace,
        size=(size, size),
        frames=frames,
        format=cast("Any", format),
        faults=faults,
        seed=seed,
    ):
        remarks = ", ".join(str(remark) for remark in (written.flaw, written.fault) if remark)
        console.print(
            f"{written.number + 1:>5}  {written.path.relative_to(folder)}{f'  ({remarks})' if remarks else ''}"
        )
