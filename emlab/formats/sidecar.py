"""What the microscope's software wrote beside a movie, whichever software that was."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Final

from emlab.formats.epu import read_epu_name, read_epu_xml
from emlab.formats.mdoc import read_mdoc
from emlab.model import Sidecar

_ENDING: Final = re.compile(r"(_[Ff]ractions|_EER)$")


def find_sidecar(movie: str | Path) -> Path | None:
    """EPU's XML or SerialEM's mdoc of a movie; ``None`` where there is none."""
    movie = Path(movie)
    candidates = (
        movie.with_name(_ENDING.sub("", movie.stem) + ".xml"),
        movie.with_name(movie.name + ".mdoc"),
        movie.with_name(movie.stem + ".mdoc"),
    )
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def read_sidecar(movie: str | Path) -> Sidecar | None:
    """What is known of a movie from the file beside it and from its name; ``None`` if nothing.

    Raises
    ------
    FormatError
        If there is such a file and it cannot be read.
    """
    path = find_sidecar(movie)
    if path is None:
        said = Sidecar()
    elif path.suffix == ".xml":
        said = read_epu_xml(path)
    else:
        said = read_mdoc(path, movie)
    name = read_epu_name(movie)
    taken_at = said.acquired_at
    if taken_at is None and name.taken_at is not None:
        taken_at = name.taken_at.timestamp()
    said = replace(said, acquired_at=taken_at, grid_square=name.grid_square, hole=name.hole)
    return None if said == Sidecar() else said
