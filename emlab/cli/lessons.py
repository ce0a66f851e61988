"""``emlab lessons``: notebooks that teach, to be worked through."""

from __future__ import annotations

import shutil
from pathlib import Path

import typer

from emlab.errors import ParameterError
from emlab.report import lessons


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("lessons")(copy)


def copy(
    folder: Path = typer.Argument(Path("emlab-lessons"), help="The folder to copy to; created if needed."),
) -> None:
    """Copy notebooks to learn from: a first session, sets as tables, comparing two runs, writing a protocol."""
    copies = {lesson: folder / lesson.name for lesson in lessons()}
    if there := [str(path) for path in copies.values() if path.exists()]:
        raise ParameterError(f"{there[0]} already exists and may contain your changes. Name another folder.")
    folder.mkdir(parents=True, exist_ok=True)
    for lesson, path in copies.items():
        shutil.copyfile(lesson, path)
        print(path)
