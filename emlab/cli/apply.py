"""``emlab apply``: one protocol by itself on files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress

from emlab.cli.options import with_options
from emlab.cli.terminal import aside
from emlab.engine.apply import Application, applications
from emlab.engine.devices import use_card
from emlab.engine.given_files import without_byproducts
from emlab.errors import ParameterError
from emlab.plain import plain


def commands() -> typer.Typer:
    """One command per protocol that works on files."""
    group = typer.Typer(
        help="Run one protocol on files: write the outputs and print one JSON record per file.",
        no_args_is_help=True,
    )
    for name, application in applications().items():
        last = ", and one for all of them" if application.protocol.is_fold else ""
        summary = f"{application.protocol.summary}\n\nOne line of JSON per file on standard output{last}."
        more = {"threads": _THREADS} | ({"gpu": _GPU} if application.protocol.accelerated else {})
        group.command(name, help=summary)(with_options(_applying(application), application.options, more))
    return group


_GPU = Annotated[int | None, typer.Option(help="The GPU to compute on, counted from 0; by default the CPU.")]
_THREADS = Annotated[
    int | None, typer.Option(min=1, help="Threads that share the work on a file; by default one per core.")
]


def _applying(application: Application) -> Any:
    def apply(files: list[Path], out: Path, values: dict[str, Any]) -> None:
        if missing := [str(file) for file in files if not file.is_file()]:
            raise ParameterError(f"File not found: {', '.join(missing)}.")
        files, left = without_byproducts(files)
        if left:
            names = left[0].name if len(left) == 1 else f"{left[0].name} and {len(left) - 1} more"
            aside.print(f"Skipped {names}, which motion correction writes beside a micrograph.")
        gpu: int | None = values.pop("gpu", None)
        if gpu is not None:
            use_card(gpu)
        device = "cpu" if gpu is None else f"gpu:{gpu}"
        threads: int | None = values.pop("threads", None)
        failed = 0
        with Progress(console=aside, transient=True) as progress:
            bar = progress.add_task(application.protocol.title, total=len(files))
            for record in application.run(files, out, values, device, threads):
                failed += "error" in record
                print(json.dumps(plain(record)), flush=True)
                progress.advance(bar)
        if failed:
            raise typer.Exit(1)

    return apply
