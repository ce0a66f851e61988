"""What the microscope's software wrote beside a movie, whichever software that was."""

from __future__ import annotations

import os
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
    # Strings, because a watcher asks for every file.
    stem, suffix = os.path.splitext(movie)  # noqa: PTH122
    candidates = (f"{_ENDING.sub('', stem)}.xml", f"{stem}{suffix}.mdoc", f"{stem}.mdoc")
    return next((Path(candidate) for candidate in candidates if os.path.isfile(candidate)), None)  # noqa: PTH113


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
