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
    folder: Path = typer.Argument(None, help="Where to; SESSION/relion by default.", show_default=False),
    to: str = typer.Option("relion", help="The program to write for."),
    project: Path = typer.Option(None, help="The folder that RELION is started in; FOLDER by default."),
    selection: str = typer.Option(None, help="The set to take; the newest accepted micrographs by default."),
    every: bool = typer.Option(False, "--all", help="Rejected micrographs too."),
    copy: bool = typer.Option(False, "--copy", help="Copy the micrographs, instead of links into the session."),
    images: bool = typer.Option(True, help="Spectra and fits as MRC too, 1 to 5 MB a micrograph."),
    beam_shift: bool = typer.Option(False, "--beam-shift", help="An optics group for each of EPU's beam shifts."),
) -> None:
    """Write the accepted micrographs and their particles for RELION 5; run it again to add those that came since."""
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
            f"Left out: the images of {counted(len(done.missing), 'micrograph')} are not there any more: "
            f"{', '.join(done.missing[:5])}{' …' if len(done.missing) > 5 else ''}"
        )
