"""A session's micrographs and particles as RELION 5 goes on with them: classification, Bayesian polishing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pandas as pd

from emlab.errors import SessionError
from emlab.export.exported import Exported
from emlab.export.placing import place
from emlab.export.relion_gains import place_metadata, write_gains
from emlab.export.relion_images import write_amplitudes, write_fit
from emlab.export.relion_particles import Places, write_coordinates, write_particles
from emlab.export.relion_tables import corrected_tables, ctf_tables, with_optics
from emlab.export.source import Recorded, exported_table, line_of
from emlab.formats.star import write_star
from emlab.model import Movie, Particles, Picks

_SHELF: Final = 1000
"""Micrographs in a folder: longer ones are slow to list."""


def write_relion(
    session: Recorded,
    folder: Path | None = None,
    *,
    project: Path | None = None,
    selection: str | None = None,
    every: bool = False,
    copy: bool = False,
    images: bool = True,
    beam_shift: bool = False,
    tick: Callable[[int, int], None] | None = None,
) -> Exported:
    """Write ``corrected_micrographs.star`` and ``micrographs_ctf.star``, and the files that they name.

    Where particles were picked and cut out, ``autopick.star`` and ``particles.star`` too.

    Can be repeated while the session runs: what is there stays, and each STAR file is replaced in one step.

    Parameters
    ----------
    folder
        Where to; ``relion`` in the session's folder by default.
    project
        The folder that RELION is started in, at or above ``folder``, which it is by default: names in the STAR files
        are relative to it.
    selection
        The set whose micrographs are taken; by default the accepted ones of the last run that selected.
    every
        Whether rejected micrographs are taken too.
    copy
        Whether to copy the micrographs; by default they are symbolic links into the session.
    images
        Whether to write what RELION shows and can start from again: the fit (``.ctf``) and the amplitude spectrum
        (``_PS.mrc``) of each micrograph, 1 to 5 MB.
    beam_shift
        Whether micrographs that EPU took with different beam shifts get optics groups of their own.
    tick
        Called with how many micrographs are done, and of how many.

    Raises
    ------
    SessionError
        If there is nothing to export, or ``folder`` is not inside ``project``.
    """
    target = (folder or session.path / "relion").resolve()
    start = project.resolve() if project is not None else target
    if not target.is_relative_to(start):
        raise SessionError(
            f"RELION finds files relative to its project {start}, but {target} is not inside it: export to a folder "
            "in the project, or name another project."
        )
    line = line_of(session, selection)
    table = exported_table(line, session.judgements(), every=every)
    is_there = [(session.path / path).is_file() for path in table["path"]]
    missing = [str(key) for key, there in zip(table.index, is_there, strict=True) if not there]
    if len(missing) == len(table):
        raise SessionError(_nothing(session.path, missing))
    table = with_optics(table[is_there], beam_shift=beam_shift)
    table["shelf"] = [f"{number // _SHELF:03d}" for number in table["number"]]
    gains, troubles = write_gains(line.get(Movie.kind), table.index, target / "Gains")
    names = []
    for done, (key, row) in enumerate(table.iterrows(), 1):
        stem = target / f"Micrographs/{row['shelf']}/{key}"
        names.append(_placed(row, session.path.resolve(), stem, start, gains.get(str(key)), copy=copy, images=images))
        if tick is not None:
            tick(done, len(table))
    table = table.join(pd.DataFrame(names, index=table.index))
    files = [target / ("corrected_micrographs.star" if "name_metadata" in table else "micrographs.star")]
    write_star(files[0], corrected_tables(table))
    if "ctf_defocus_u" in table and not (fitted := table[table["ctf_defocus_u"].notna()]).empty:
        files.append(target / "micrographs_ctf.star")
        write_star(files[1], ctf_tables(fitted))
    places = Places(session.path.resolve(), target, start, copy)
    particles = 0
    if Picks.kind in line:
        files += write_coordinates(table, line, places)
    if Particles.kind in line:
        written, particles, gone = write_particles(table, line, session.batches(), places)
        files += written
        missing += gone
    kind = "Particles" if particles else "Micrographs"
    chosen = files[-1] if particles else files[min(1, len(files) - 1)]
    advice = (
        f"Start RELION in {start} and choose {chosen.relative_to(start)} as the input of a job; to bring it into the "
        f"pipeline, use the job Import, tab Others, node type “{kind} STAR file (.star)”."
    )
    if particles and any(line[Particles.kind].to_dataframe(columns=["phases_flipped"])["phases_flipped"]):
        advice += " The images are phase-flipped: give RELION's jobs the additional argument --ctf_phase_flipped."
    if troubles:
        advice += (
            f" Do not polish particles yet: {' '.join(troubles)} Export again when the gain reference can be read, so "
            "that RELION finds it as it was applied."
        )
    return Exported(target, tuple(files), len(table), particles, tuple(missing), advice)


def _placed(
    row: pd.Series[Any], root: Path, stem: Path, start: Path, gain: Path | None, *, copy: bool, images: bool
) -> dict[str, str]:
    """Put a micrograph's files where RELION looks for them, and give their names."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    made = {}
    # RELION tells formats by their endings.
    ending = ".tif" if Path(row["path"]).suffix.lower() in {".tif", ".tiff"} else ".mrc"
    for column, name, suffix in (
        ("path", "name", ending),
        ("unweighted", "name_unweighted", "_noDW.mrc"),
        ("metadata", "name_metadata", ".star"),
    ):
        if pd.notna(row[column]) and (root / row[column]).is_file():
            made[name] = stem.with_name(stem.name + suffix)
            if name == "name_metadata" and gain is not None:
                place_metadata(root / row[column], made[name], gain, gain.relative_to(start).as_posix())
            else:
                place(root / row[column], made[name], copy=copy, within=root)
    for column, name, suffix, write in (
        ("power_spectrum", "name_spectrum", "_PS.mrc", write_amplitudes),
        ("ctf_picture", "name_fit", ".ctf", write_fit),
    ):
        target = stem.with_name(stem.name + suffix)
        if images and pd.notna(row.get(column)) and write(root / row[column], target):
            made[name] = target
    names = {name: path.relative_to(start).as_posix() for name, path in made.items()}
    # Without ":mrc" RELION does not know a .ctf for an image.
    return {name: f"{path}:mrc" if name == "name_fit" else path for name, path in names.items()}


def _nothing(session: Path, missing: list[str]) -> str:
    if missing:
        return f"None of the {len(missing):,} micrographs is where {session} recorded it; for example {missing[0]}."
    return f"{session} has no micrograph to export yet; --all also exports rejected ones."
