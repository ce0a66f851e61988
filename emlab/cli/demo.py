"""``emlab demo``: a simulated microscope, a session that follows it, a live view and a report."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from shlex import quote

import typer
from rich.text import Text

from emlab.cli.follow import follow
from emlab.cli.terminal import console
from emlab.cli.view import served
from emlab.creation import create_session
from emlab.errors import SessionExists
from emlab.python import python_module


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


def demo(
    folder: Path = typer.Argument(None, help="The folder for movies and session; emlab-demo/<date>-<time> by default."),
    movies: int = typer.Option(12, help="Number of movies to simulate.", min=1),
    pace: float = typer.Option(6.0, help="Seconds from one movie to the next.", min=0),
) -> None:
    """Show everything once: simulated movies are aligned and judged, particles sorted, a report written."""
    folder = folder or Path("emlab-demo") / time.strftime("%Y-%m-%d-%H%M%S")
    if folder.exists():
        raise SessionExists(f"{folder} exists already. Remove it, or name another folder: emlab demo FOLDER")
    microscope, path = folder / "microscope", folder / "session"
    microscope.mkdir(parents=True)
    console.print(
        f"A simulated microscope takes {movies} movies, one every {pace:g} s, into {microscope}.\nThe session in "
        f"{path} aligns each one, estimates its CTF, judges it and extracts its particles while the next is being "
        "taken; their 2D classes come last."
    )
    camera = subprocess.Popen(
        python_module("emlab", "simulate", str(microscope), "--movies", str(movies), "--pace", str(pace)),
        stdin=subprocess.DEVNULL,
        stdout=(folder / "microscope.log").open("w"),
    )
    gain = microscope / "gain.tif"
    try:
        while not gain.exists() and camera.poll() is None:
            time.sleep(0.1)
        session = create_session(
            path,
            "single_particle",
            name="emlab demo",
            movies=microscope,
            gain_reference=gain,
            diameter=125,
            expected_count=movies,
            idle_timeout=120,
        )
        with session, served(path, log=folder / "view.log") as (address, _):
            session.start(report_every=30)
            console.print(Text.assemble("\nLive view: ", (address, "bold"), "\n"))
            follow(session, console, until=lambda: not session.is_running)
            state = session.state
    finally:
        camera.terminate()
        camera.wait()
    report = (path / "report" / "index.html").resolve()
    console.print(f"\nThe session is {state}. To see it again: emlab view {quote(str(path))}")
    console.print(Text.assemble("The report: ", (report.as_uri(), "bold")))
