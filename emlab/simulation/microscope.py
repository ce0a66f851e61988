"""A microscope that writes movies at a pace into a folder, as EPU and the cameras do."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Literal, get_args

from numpy.typing import NDArray

from emlab.errors import ParameterError
from emlab.formats.eer import write_eer
from emlab.formats.mrc import write_mrc_movie
from emlab.formats.tiff import write_tiff_movie
from emlab.simulation.conditions import Conditions, vary
from emlab.simulation.detector import Detector, build_detector
from emlab.simulation.epu import ENDINGS, Shot, sidecar, square_folder
from emlab.simulation.events import raw_frames
from emlab.simulation.fault import Fault
from emlab.simulation.movie import simulate_movie

Array = NDArray[Any]
Format = Literal["tiff", "mrc", "eer"]

_SMALLEST: Final = 64
_CUT: Final = 0.6
"""Share of a truncated file that is there."""
_BEAM_OFF: Final = 1e-3
"""Dose of a blank movie, share of the intended."""


@dataclass(frozen=True, kw_only=True)
class Written:
    """A movie that a microscope wrote, or something in its place.

    Attributes
    ----------
    number
        Of the exposure, from 0.
    path
        The movie.
    acquired_at
        Seconds since 1970-01-01 UTC.
    sidecar, truth
        The XML and the truth (JSON) beside it, where there are such.
    flaw
        What is wrong with the specimen, in words.
    fault
        What went wrong with the file.
    """

    number: int
    path: Path
    acquired_at: float
    sidecar: Path | None = None
    truth: Path | None = None
    flaw: str | None = None
    fault: Fault | None = None


@dataclass(frozen=True, kw_only=True)
class Microscope:
    """A session that is about to be recorded; `write` records it.

    Attributes
    ----------
    count
        Movies.
    pace
        Seconds from one to the next.
    conditions
        What they have in common; each movie varies them, see `emlab.simulation.conditions.vary`.
    format
        Of the movies: ``tiff`` (LZW), ``mrc`` or ``eer``.
    eer_grouping
        Raw frames of an EER per frame.
    faults
        Movie's number, from 0 → what goes wrong with it.
    clock, sleep
        Tell the time, seconds since 1970-01-01 UTC, and let it pass.

    Raises
    ------
    ParameterError
        If a movie cannot be made so.
    """

    count: int = 12
    pace: float = 6.0
    conditions: Conditions = field(default_factory=Conditions)
    format: Format = "tiff"
    eer_grouping: int = 6
    faults: Mapping[int, Fault] = field(default_factory=dict)
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        if self.count < 1 or self.pace < 0:
            raise ParameterError(
                f"A microscope cannot write {self.count} movies every {self.pace} s; give 1 or more, and 0 s or more."
            )
        if self.format not in get_args(Format):
            raise ParameterError(f"A microscope cannot write {self.format!r}; give tiff, mrc or eer.")
        conditions = self.conditions
        if min(conditions.size) < _SMALLEST or any(size % 2 for size in conditions.size) or conditions.frames < 1:
            raise ParameterError(
                f"A movie cannot have {conditions.frames} frames of {conditions.size[0]} × {conditions.size[1]} px; "
                f"give at least one of at least {_SMALLEST} px, in even numbers."
            )
        if not (conditions.pixel_size > 0 and conditions.dose_per_frame > 0):
            raise ParameterError(
                f"A movie cannot have a pixel size of {conditions.pixel_size} Å and {conditions.dose_per_frame} e/Å² "
                f"per frame; give numbers above 0."
            )

    def gain_reference(self, folder: Path) -> Path:
        """Where the gain reference is written."""
        return folder / ("simulated_EER_GainReference.gain" if self.format == "eer" else "gain.tif")

    def write(self, folder: Path) -> Iterator[Written]:
        """Write the session into a folder, movie by movie; each is yielded once it and its sidecar are there.

        The folder is made if need be. The gain reference comes first. A movie is simulated ahead of its time, then
        written under its final name, as cameras do, between its truth and its sidecar.
        """
        folder.mkdir(parents=True, exist_ok=True)
        detector = build_detector(self.conditions.size, self.conditions.seed)
        # A TIFF is written upside down, as it is read; the gain of an EER is not, being read as the EER is.
        gain = detector.gain_reference[::-1] if self.format == "eer" else detector.gain_reference
        write_tiff_movie(self.gain_reference(folder), [gain], None)
        start = self.clock()
        for number in range(self.count):
            yield from self._expose(folder, number, detector, start + number * self.pace)

    def _expose(self, folder: Path, number: int, detector: Detector, due: float) -> Iterator[Written]:
        fault = self.faults.get(number)
        conditions = vary(self.conditions, number)
        beam = replace(conditions, dose_per_frame=conditions.dose_per_frame * _BEAM_OFF)
        movie = simulate_movie(beam if fault is Fault.BLANK else conditions, detector)
        self.sleep(max(0.0, due - self.clock()))
        shot = Shot(number, self.clock())
        path = folder / shot.folder / (shot.stem + ENDINGS[self.format])
        path.parent.mkdir(parents=True, exist_ok=True)
        written = Written(number=number, path=path, acquired_at=shot.acquired_at, flaw=conditions.flaw, fault=fault)
        if fault is Fault.FOREIGN:
            path.write_bytes(conditions.rng(6).bytes(1 << 16))
            yield replace(written, flaw=None)
            return
        if fault is Fault.TRUNCATED:
            self._write_part(path, movie.frames, conditions)
            yield written
            return
        truth, xml = path.with_suffix(".truth.json"), path.with_name(f"{shot.stem}.xml")
        movie.truth.write(truth)
        self._write_movie(path, movie.frames, conditions, slow=fault is Fault.SLOW_WRITER)
        if fault is Fault.MISSING_SIDECAR:
            yield replace(written, truth=truth)
            return
        xml.write_text(sidecar(shot, conditions))
        yield replace(written, truth=truth, sidecar=xml, fault=None if fault is Fault.DUPLICATE else fault)
        if fault is Fault.DUPLICATE:
            elsewhere = folder / square_folder(self.count) / path.name
            elsewhere.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, elsewhere)
            yield replace(written, path=elsewhere, sidecar=Path(shutil.copy(xml, elsewhere.parent)))

    def _write_movie(self, path: Path, frames: Array, conditions: Conditions, *, slow: bool = False) -> None:
        parts = self.eer_grouping if self.format == "eer" else 1
        events = raw_frames(frames, parts, conditions.rng(7)) if self.format == "eer" else iter(frames)
        arriving = self._slowly(events, len(frames) * parts) if slow else events
        match self.format:
            case "tiff":
                write_tiff_movie(path, arriving, conditions.pixel_size)
            case "mrc":
                write_mrc_movie(path, arriving, conditions.pixel_size, len(frames))
            case "eer":
                write_eer(path, arriving, conditions.pixel_size)

    def _slowly(self, frames: Iterator[Array], count: int) -> Iterator[Array]:
        for frame in frames:
            yield frame
            self.sleep(self.pace / count)

    def _write_part(self, path: Path, frames: Array, conditions: Conditions) -> None:
        with tempfile.TemporaryDirectory() as elsewhere:
            whole = Path(elsewhere) / path.name
            self._write_movie(whole, frames, conditions)
            content = whole.read_bytes()
        path.write_bytes(content[: int(_CUT * len(content))])


def simulate(
    folder: Path,
    *,
    movies: int = 12,
    pace: float = 6.0,
    size: tuple[int, int] = (1024, 1024),
    frames: int = 24,
    format: Format = "tiff",
    faults: Sequence[Fault] = (),
    seed: int = 0,
) -> Iterator[Written]:
    """Let a simulated microscope write a session into a folder: each movie as it is written.

    Parameters
    ----------
    folder
        The session's, made if need be.
    movies, pace
        How many, and seconds from one to the next.
    size, frames
        Of each, (y, x) px.
    format
        ``tiff`` (LZW), ``mrc`` or ``eer``.
    faults
        What is to go wrong, spread evenly over the session.
    seed
        The same seed writes the same movies.

    Raises
    ------
    ParameterError
        If a movie cannot be made so, or there are more faults than movies.
    """
    if len(faults) > movies:
        raise ParameterError(
            f"{len(faults)} faults cannot happen to {movies} movies; give at most one fault per movie."
        )
    spread = {int((place + 0.5) * movies / len(faults)): Fault(fault) for place, fault in enumerate(faults)}
    conditions = Conditions(seed=seed, size=size, frames=frames)
    return Microscope(count=movies, pace=pace, conditions=conditions, format=format, faults=spread).write(folder)
