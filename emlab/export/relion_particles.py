"""A session's particles as RELION 5 goes on with them: ``autopick.star`` and ``particles.star``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from emlab.export.placing import is_newer, place
from emlab.export.relion_classes import assigned
from emlab.export.relion_tables import particle_optics
from emlab.formats.array import read_array
from emlab.formats.class_columns import Columns, no_class
from emlab.formats.star import write_star
from emlab.model import Particles, Picks
from emlab.sets import Batch, IncrementalSet


@dataclass(frozen=True)
class Places:
    """Where things are.

    Attributes
    ----------
    root
        The session's folder.
    target
        Where the export goes to.
    start
        What names in the STAR files are relative to.
    copy
        Whether stacks are copied; else they are links.
    """

    root: Path
    target: Path
    start: Path
    copy: bool

    def name(self, path: Path) -> str:
        """Give a file as RELION names it."""
        return path.relative_to(self.start).as_posix()


def write_coordinates(table: pd.DataFrame, line: Mapping[str, IncrementalSet], places: Places) -> list[Path]:
    """Write ``autopick.star`` and a table of coordinates beside each micrograph; gives the first, if there is any.

    Parameters
    ----------
    table
        Of `exported_table`, with ``name`` and ``shelf`` (the folder's, below ``Micrographs``).
    """
    picked = _known(table, line, Picks.kind, ("coordinates",), "count > 0")
    names: dict[str, list[str]] = {"rlnMicrographName": [], "rlnMicrographCoordinates": []}
    for key, row in picked.iterrows():
        source = places.root / row["coordinates"]
        target = places.target / f"Micrographs/{row['shelf']}/{key}_autopick.star"
        if not source.is_file():
            continue
        if is_newer(source, target):
            x, y, score = _columns(source)
            none = np.zeros(x.size)
            columns = {"rlnCoordinateX": x, "rlnCoordinateY": y, "rlnClassNumber": none.astype(int)}
            write_star(target, {"": {**columns, "rlnAnglePsi": none, "rlnAutopickFigureOfMerit": score}})
        names["rlnMicrographName"].append(row["name"])
        names["rlnMicrographCoordinates"].append(places.name(target))
    if not names["rlnMicrographName"]:
        return []
    write_star(places.target / "autopick.star", {"coordinate_files": names})
    return [places.target / "autopick.star"]


def write_particles(
    table: pd.DataFrame, line: Mapping[str, IncrementalSet], batches: Sequence[Batch], places: Places
) -> tuple[list[Path], int, list[str]]:
    """Write ``particles.star``, and link or copy the stacks; row by row, since there may be millions.

    Parameters
    ----------
    batches
        Of the session: which particles its 2D classes are made of.

    Returns
    -------
    files
        The STAR file, if there are particles.
    count
        How many particles are in it.
    missing
        Items whose stack is no longer where the session says.
    """
    wanted = ("stack", "coordinates", "box_size", "pixel_size")
    cut = _known(table, line, Particles.kind, wanted, "count > 0")
    is_there = [(places.root / stack).is_file() for stack in cut["stack"]]
    missing = [str(key) for key, there in zip(cut.index, is_there, strict=True) if not there]
    cut = cut[is_there]
    if cut.empty:
        return [], 0, missing
    stacks = []
    for key, row in cut.iterrows():
        target = places.target / f"Particles/{row['shelf']}/{key}.mrcs"
        place(places.root / row["stack"], target, copy=places.copy, within=places.root)
        stacks.append(places.name(target))
    cut = cut.assign(name_stack=stacks)
    classes = assigned(line, batches, places.root)
    file = places.target / "particles.star"
    write_star(file, {"optics": particle_optics(cut), "particles": _rows(cut, classes, places.root)})
    return [file], int(cut["count"].sum()), missing


def _rows(cut: pd.DataFrame, classes: Mapping[str, Columns], root: Path) -> Iterator[dict[str, Any]]:
    """The columns of one micrograph's particles after the other, as RELION's own extraction writes them."""
    for key, row in cut.iterrows():
        x, y, score = _columns(root / row["coordinates"])
        images = [f"{number:06d}@{row['name_stack']}" for number in range(1, x.size + 1)]

        def alike(value: Any, count: int = x.size) -> list[Any]:
            return [value] * count

        yield {
            "rlnCoordinateX": x,
            "rlnCoordinateY": y,
            "rlnAutopickFigureOfMerit": score,
            **_of_classes(classes, str(key), x.size),
            "rlnImageName": images,
            "rlnMicrographName": alike(row["name"]),
            "rlnOpticsGroup": alike(row["group"]),
            "rlnCtfMaxResolution": alike(round(row["ctf_ctf_resolution"], 4)),
            "rlnCtfFigureOfMerit": alike(round(row["ctf_score"], 6)),
            "rlnDefocusU": alike(round(row["ctf_defocus_u"], 3)),
            "rlnDefocusV": alike(round(row["ctf_defocus_v"], 3)),
            "rlnDefocusAngle": alike(round(row["ctf_defocus_angle"], 4)),
            "rlnCtfBfactor": alike(0.0),
            "rlnCtfScalefactor": alike(1.0),
            "rlnPhaseShift": alike(round(row["ctf_phase_shift"], 4)),
        }


def _of_classes(classes: Mapping[str, Columns], key: str, count: int) -> Columns:
    """What is known of the classes; without any, what RELION's extraction writes, and no more."""
    if not classes:
        return {label: no_class(count)[label] for label in ("rlnClassNumber", "rlnAnglePsi")}
    return classes.get(key) or no_class(count)


def _columns(path: Path) -> tuple[Any, Any, Any]:
    """x, y (px of the micrograph, the first pixel's centre at 0, as RELION counts them) and score."""
    x, y, score = np.round(read_array(path).astype(np.float64).T, 4)
    return x, y, score


def _known(
    table: pd.DataFrame, line: Mapping[str, IncrementalSet], kind: str, columns: tuple[str, ...], condition: str
) -> pd.DataFrame:
    """The rows of the table with what a kind of record says of them, of those that fulfil the condition."""
    records = line[kind].to_dataframe(columns=["key", "count", *columns]).set_index("key").query(condition)
    ours = table.drop(columns=[name for name in records.columns if name in table])
    return ours.join(records, how="inner")
