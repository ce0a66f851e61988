"""What can be known of a source before anything is started."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emlab.arrays.gain_fit import fit_gain
from emlab.engine.pipeline import Stage
from emlab.engine.watcher.patterns import Patterns
from emlab.engine.watcher.tree import files_below
from emlab.engine.workbench import FolderWorkbench
from emlab.errors import DataError, EmlabError, FormatError, ParameterError
from emlab.formats.completeness import check_complete
from emlab.model import Arrival, Movie
from emlab.model.watched import WatchedFolder
from emlab.monitors.words import and_more, counted

ENOUGH = 100_000
"""Files after which a folder is looked through no further."""
TRIED = 3
"""Files that are tried before a source is said not to work on them."""
LOOKED_AT = 40
"""Frames in which the gain's structure is looked for, at most."""
ORIENTATIONS = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (2, 0), (3, 0))
"""All that a gain can have: its rotation and its flip."""

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What a watched folder holds now.

    Attributes
    ----------
    folder
        Absolute path.
    matching
        Paths that match the patterns, the newest last.
    others
        Names of files that do not, relative to the folder, and of folders that no pattern leads into.
    """

    folder: str
    matching: tuple[str, ...]
    others: tuple[str, ...]

    def __str__(self) -> str:
        """Say what is there, in a sentence."""
        if self.matching:
            return f"{counted(len(self.matching), 'file')} in {self.folder} to process."
        if not self.others:
            return f"{self.folder} is empty; files will be processed as they arrive."
        return (
            f"No file in {self.folder} matches the pattern yet; the folder holds "
            f"{and_more(self.others[0], len(self.others))}."
        )


def survey(watched: WatchedFolder) -> Survey:
    """Look through a folder.

    Raises
    ------
    ParameterError
        If there is no such folder, or it cannot be read.
    """
    root = watched.folder
    if not Path(root).is_dir():
        raise ParameterError(_no_folder(Path(root)))
    patterns = Patterns(watched.patterns)
    matching, others = [], []
    for path, relative in islice(files_below(root, patterns), ENOUGH):
        if patterns.match(relative):
            matching.append(path)
        else:
            others.append(relative)
    return Survey(folder=root, matching=tuple(sorted(matching, key=_modified)), others=tuple(sorted(others)))


def preflight(stage: Stage) -> None:
    """Try a source on what is there, so that what cannot work is said before anything is started.

    Raises
    ------
    ParameterError
        If the folder or a file that a parameter names is missing, or what no file tells is not given.
    DataError
        If the gain or the defects do not fit the movies.
    FormatError
        If the gain or the defects cannot be read, or none of the first files.
    """
    parameters = stage.parameters
    assert isinstance(parameters, WatchedFolder)  # noqa: S101
    surveyed = survey(parameters)
    for name in ("gain_reference", "defects"):
        path = getattr(parameters, name, None)
        if path is not None and not Path(path).is_file():
            raise ParameterError(
                f"{name} is {path}, but there is no such file; give an existing file, or leave it out."
            )
    complete = (path for path in surveyed.matching if check_complete(path).state == "complete")
    failed: EmlabError | None = None
    for path in islice(complete, TRIED):
        try:
            _try(stage, Path(path))
        except FormatError as error:
            failed = failed or error
        else:
            return
    if failed is not None:
        raise failed


def _try(stage: Stage, path: Path) -> None:
    facts = path.stat()
    arrival = Arrival(key=path.stem, path=str(path), size=facts.st_size, modified=facts.st_mtime, evidence="preflight")
    with tempfile.TemporaryDirectory(prefix="emlab-") as folder:
        workbench = FolderWorkbench(Path(folder), "", arrival.key)
        record = stage.protocol.function(arrival, stage.parameters, workbench)
        if isinstance(record, Movie):
            workbench.read_defects(record)
            gain = workbench.read_gain(record)
            if gain is not None:
                _check_gain(record, gain, workbench)


def _check_gain(movie: Movie, gain: Array, workbench: FolderWorkbench) -> None:
    """Look whether the gain lies as the frames do, in as many of them as it takes to tell."""
    counts = np.zeros(gain.shape, np.float32)
    for frame in workbench.read_frames(movie, 0, min(movie.frames, LOOKED_AT)):
        counts += frame
        found = fit_gain(counts, gain)
        if found.is_known:
            break
    if not found.is_foreign:
        return
    for rotation, flip in ORIENTATIONS:
        if _fits(replace(movie, gain_rotation=rotation, gain_flip=flip), counts, workbench):
            raise DataError(
                f"The gain {movie.gain_reference} is not oriented like the frames of {Path(movie.path).name}, as "
                f"their fine structure shows. Give gain_rotation={rotation} gain_flip={flip}; they are now "
                f"{movie.gain_rotation} and {movie.gain_flip}."
            )


def _fits(movie: Movie, counts: Array, workbench: FolderWorkbench) -> bool:
    try:
        gain = workbench.read_gain(movie)
    except DataError:  # of another shape
        return False
    return gain is not None and fit_gain(counts, gain).fits


def _modified(path: str) -> float:
    try:
        return os.stat(path).st_mtime  # noqa: PTH116
    except FileNotFoundError:
        return 0.0


def _no_folder(folder: Path) -> str:
    nearest = next(parent for parent in [folder, *folder.parents] if parent.exists())
    found = "it is a file." if nearest == folder else f"only {nearest} exists."
    return f"There is no folder {folder}; {found} Give the folder that the microscope writes to; it may still be empty."
