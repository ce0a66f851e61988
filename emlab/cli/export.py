"""``emlab export``: what another program goes on with."""

from __future__ import annotations

from pathlib import Path

import typer
from rich.progress import Progress

from emlab.cli.terminal import aside
from emlab.monitors import counted
from emlab.session import open_session


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(export)


def export(
    session: Path = typer.Argument(help="The session's folder.", show_default=False),
    folder: Path = typer.Argument(None, help="The folder to write; SESSION/relion by default.", show_default=False),
    to: str = typer.Option("relion", help="The program to write for."),
    project: Path = typer.Option(None, help="The folder in which RELION is started; FOLDER by default."),
    selection: str = typer.Option(None, help="The set to export; the newest accepted micrographs by default."),
    every: bool = typer.Option(False, "--all", help="Also export rejected micrographs."),
    copy: bool = typer.Option(False, "--copy", help="Copy the micrographs instead of linking into the session."),
    images: bool = typer.Option(True, help="Also write spectra and fits as MRC, 1 to 5 MB per micrograph."),
    beam_shift: bool = typer.Option(False, "--beam-shift", help="Make one optics group per EPU beam shift."),
) -> None:
    """Write the accepted micrographs and their particles for RELION 5; run it again to add newer ones."""
    with open_session(session) as opened, Progress(console=aside, transient=True) as progress:
        bar = progress.add_task("Exporting")
        done = opened.export(
            folder,
            to,
            project=project,
            selection=selection,
            every=every,
            copy=copy,
            images=images,
            beam_shift=beam_shift,
            tick=lambda number, total: progress.update(bar, completed=number, total=total),
        )
    for file in done.files:
        print(file)
    found = f", {counted(done.particles, 'particle')}" if done.particles else ""
    aside.print(f"{counted(done.micrographs, 'micrograph')}{found}. {done.advice}")
    if done.missing:
        aside.print(
            f"Skipped {counted(len(done.missing), 'micrograph')}, because the images no longer exist: "
            f"{', '.join(done.missing[:5])}{' …' if len(done.missing) > 5 else ''}"
        )
