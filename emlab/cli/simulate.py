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
    folder: Path = typer.Argument(help="The folder to write to; created if needed.", show_default=False),
    movies: int = typer.Option(12, help="Number of movies.", min=1),
    pace: float = typer.Option(6.0, help="Seconds from one movie to the next.", min=0),
    size: int = typer.Option(1024, help="Height and width, px."),
    frames: int = typer.Option(24, help="Frames per movie."),
    format: str = typer.Option("tiff", help="File format: tiff (LZW), mrc or eer."),
    fault: list[str] = typer.Option([], help=f"A fault to inject once; may be given several times: {FAULTS}."),
    seed: int = typer.Option(0, help="The same seed writes the same movies."),
) -> None:
    """Simulate a microscope that writes movies, EPU metadata and the ground truth into a folder."""
    from emlab.simulation import Fault, simulate

    if unknown := [name for name in fault if name not in list(Fault)]:
        raise ParameterError(f"Unknown fault: {', '.join(unknown)}. Known faults: {FAULTS}.")
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
