"""Particles that a STAR file of RELION names, as records of a session's are, and what became of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from emlab.engine.workbench import FolderWorkbench
from emlab.errors import DataError, FormatError
from emlab.formats.class_columns import class_columns
from emlab.formats.mrc import MrcFrames, read_mrc
from emlab.formats.star import read_star, write_star
from emlab.model import Particles

_ALIKE: Final = 100.0
"""Å of defocus; particles of a stack that differ by less share a CTF: 1/65 of a turn at 300 kV and 8 Å."""
_CIRCLE: Final = 0.75
"""Of the box: RELION's own circle, outside which it measures the background."""
_OPTICS: Final = ("rlnOpticsGroup", "rlnVoltage", "rlnSphericalAberration", "rlnAmplitudeContrast", "rlnImagePixelSize")
_PARTICLES: Final = ("rlnImageName", "rlnOpticsGroup", "rlnDefocusU", "rlnDefocusV", "rlnDefocusAngle")

_Identity = tuple[str, int, int, int]
"""Stack, optics group, and both defocus values in multiples of `_ALIKE`."""


@dataclass(frozen=True)
class GivenParticles:
    """The particles of a STAR file.

    Attributes
    ----------
    name
        By which outputs are named.
    tables
        The file's.
    records
        One per stack, or several where its particles differ in CTF.
    rows
        Which rows of the file each record's particles are, in the order of its stack.
    """

    name: str
    tables: Mapping[str, Mapping[str, Any]]
    records: tuple[Particles, ...]
    rows: tuple[NDArray[np.intp], ...]

    def write_classes(self, path: Path, assignments: NDArray[Any], first: int) -> None:
        """Write the file anew, each row with the class, angle and shift of its particle.

        Parameters
        ----------
        assignments
            Of the classes that these records were among the members of, ``first`` being the number of theirs.
        """
        table = self.tables["particles"]
        found = np.empty(len(table["rlnImageName"]), assignments.dtype)
        for member, rows in enumerate(self.rows, first):
            found[rows] = np.sort(assignments[assignments["member"] == member], order="particle")
        write_star(path, {**self.tables, "particles": {**table, **class_columns(found)}})


def read_particles(path: Path, name: str, bench: Callable[[str], FolderWorkbench]) -> GivenParticles:
    """Give the particles of a STAR file as RELION (3.1 and newer), cryoSPARC's converters and `emlab export` write it.

    Parameters
    ----------
    path
        Stacks are looked for relative to its folder and those above, one of which is the project's.
    name
        Of the records and outputs.
    bench
        Gives the place where a record's outputs go: a stack of those of a stack's particles that are named.

    Raises
    ------
    FormatError
        If it is no such file.
    DataError
        If its stacks are not there, or not what it says.
    """
    tables = read_star(path)
    if not {"optics", "particles"} <= tables.keys():
        raise FormatError(
            f"{path} has the tables {', '.join(tables)}; expected data_optics and data_particles, as RELION 3.1 and "
            "newer write them."
        )
    optics, table = tables["optics"], tables["particles"]
    missing = [
        *(label for label in _OPTICS if label not in optics),
        *(label for label in _PARTICLES if label not in table),
    ]
    if missing:
        raise FormatError(f"{path} lacks {', '.join(missing)}; without these the CTF of its particles is unknown.")
    groups = {
        int(group): {label: column[at] for label, column in optics.items()}
        for at, group in enumerate(optics[_OPTICS[0]])
    }
    if unknown := set(map(int, table["rlnOpticsGroup"])) - groups.keys():
        raise FormatError(f"{path} names the optics group {min(unknown)}, which is not in its data_optics.")
    records, rows = [], []
    for number, (identity, members) in enumerate(_alike(path, table)):
        order = np.array(sorted(members, key=members.__getitem__))
        images = np.array([members[row] for row in order])
        values = {label: np.asarray(column)[order] for label, column in table.items()}
        at = bench(f"{name}_{number + 1}")
        records.append(_record(_found(path, identity[0]), images, groups[identity[1]], values, at))
        rows.append(order)
    return GivenParticles(name, tables, tuple(records), tuple(rows))


def _alike(path: Path, table: Mapping[str, Any]) -> Iterator[tuple[_Identity, dict[int, int]]]:
    """Particles of one stack and one CTF: row → number of the image in the stack, from 0."""
    found: dict[_Identity, dict[int, int]] = defaultdict(dict)
    focus = np.stack([np.asarray(table[name]) for name in _PARTICLES[2:]])
    if focus.dtype.kind not in "if" or not np.isfinite(focus).all():
        raise DataError(f"{path} names particles without a defocus; estimate the CTF of their micrographs first.")
    columns = (table["rlnImageName"], table["rlnOpticsGroup"], *focus[:2])
    for row, (image, group, u, v) in enumerate(zip(*columns, strict=True)):
        number, at, stack = str(image).partition("@")
        if not (at and number.isdigit() and int(number)):
            raise FormatError(f"{path} names the image {image!r}; expected NUMBER@STACK, counted from 1.")
        found[stack, int(group), round(u / _ALIKE), round(v / _ALIKE)][row] = int(number) - 1
    yield from found.items()


def _found(path: Path, stack: str) -> Path:
    """Where a stack is that a STAR file names."""
    for folder in path.absolute().parents:
        if (folder / stack).is_file():
            return folder / stack
    raise DataError(
        f"{path} names the stack {stack}, which is neither in its folder nor in one above it; keep the STAR file in "
        "the project that its names are relative to."
    )


def _record(
    stack: Path, images: NDArray[np.intp], optics: Mapping[str, Any], values: Mapping[str, Any], bench: FolderWorkbench
) -> Particles:
    """One record, of images in a stack; those of a part of it are put into a stack of their own."""
    if optics.get("rlnCtfDataAreCtfPremultiplied"):
        raise DataError(f"{stack} was multiplied by its CTF; extract the particles again without CTF multiplication.")
    count, height, width = MrcFrames(stack).shape
    if height != width or images[-1] >= count:
        raise DataError(
            f"{stack} has {count} images of {height}×{width} px, and the STAR file names number {images[-1] + 1} of "
            "it and square images; the stack belongs to another file."
        )
    pixel_size = float(optics["rlnImagePixelSize"])
    is_whole = np.array_equal(images, np.arange(count))
    part = str(stack) if is_whole else bench.write_stack("particles", read_mrc(stack)[0][images], pixel_size)
    return Particles(
        key=bench.item,
        micrograph=str(values["rlnMicrographName"][0]) if "rlnMicrographName" in values else "",
        stack=part,
        coordinates="",
        count=len(images),
        left_out=0,
        box_size=width,
        diameter=_CIRCLE * width * pixel_size,
        pixel_size=pixel_size,
        micrograph_pixel_size=float(optics.get("rlnMicrographOriginalPixelSize", pixel_size)),
        phases_flipped=bool(optics.get("rlnCtfDataArePhaseFlipped", False)),
        voltage=float(optics["rlnVoltage"]),
        spherical_aberration=float(optics["rlnSphericalAberration"]),
        amplitude_contrast=float(optics["rlnAmplitudeContrast"]),
        defocus_u=float(np.mean(values["rlnDefocusU"])),
        defocus_v=float(np.mean(values["rlnDefocusV"])),
        defocus_angle=float(values["rlnDefocusAngle"][0]),
        phase_shift=float(np.mean(values["rlnPhaseShift"])) if "rlnPhaseShift" in values else 0.0,
    )
