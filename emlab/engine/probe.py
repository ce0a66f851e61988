"""What a folder holds for a protocol now, told step by step while it is looked through."""

from __future__ import annotations

import heapq
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from emlab.engine.watcher.patterns import Patterns
from emlab.engine.watcher.tree import files_below
from emlab.engine.workbench import FolderWorkbench
from emlab.errors import EmlabError, FormatError, ParameterError
from emlab.formats.completeness import check_complete
from emlab.formats.movie import inspect
from emlab.formats.sidecar import find_sidecar, read_sidecar
from emlab.model import Arrival, FileFacts, Movie, Protocol, Sidecar
from emlab.model.acquisition import Acquisition, scaled_pixel_size
from emlab.monitors.words import and_more, duration

BUDGET: Final = 20.0
"""Seconds after which a folder is looked through no further."""
STEP: Final = 0.25
"""Seconds between two things told."""
_TRIED: Final = 5
"""The newest files, of which the first complete one tells the facts."""
_SHORT: Final = 60
"""Characters of a pattern that are read at a glance."""
_HEADER: Final = "the file's header"


@dataclass(frozen=True)
class Reading:
    """A number that a file tells.

    Attributes
    ----------
    value
        In emlab's unit.
    source
        The name of the file.
    """

    value: float
    source: str


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What a folder holds, as far as it was looked through.

    Attributes
    ----------
    folder
        Absolute path.
    noun
        What is looked for: ``movies``.
    pattern
        Which names are meant.
    count
        Files that match.
    others
        How many do not, and folders that no pattern leads into.
    other
        One of those, relative to the folder.
    newest_at
        When the newest that matches was last written to, seconds since 1970-01-01 UTC.
    is_done
        Whether no more will be told.
    is_whole
        Whether everything was looked at; ``False`` where the time did not suffice.
    facts
        What the newest complete file's header says.
    readings
        Parameters that files tell, by their names: ``voltage``, ``pixel_size``, ``dose_per_frame``, ``total_dose``.
    trouble
        Why the files cannot be used, as a sentence.
    """

    folder: str
    noun: str
    pattern: str = ""
    count: int = 0
    others: int = 0
    other: str = ""
    newest_at: float | None = None
    is_done: bool = False
    is_whole: bool = True
    facts: FileFacts | None = None
    readings: dict[str, Reading] = field(default_factory=dict)
    trouble: str = ""

    @property
    def is_foreign(self) -> bool:
        """Whether the folder has files, and none that is meant."""
        return self.is_done and not self.count and self.others > 0

    def sentence(self, now: float) -> str:
        """Say it in a line: ``1,204 movies, newest 12 s ago; 4096×4096×40, TIFF LZW uint8``."""
        if not self.count:
            if not self.is_done:
                return "Looking …"
            if not self.others:
                return "The folder is empty; files will be processed as they arrive."
            pattern = f" {self.pattern}" if len(self.pattern) < _SHORT else ""
            return f"No file matches{pattern} yet; the folder holds {and_more(self.other, self.others)}."
        noun = self.noun.removesuffix("s") if self.count == 1 else self.noun
        some = "" if self.is_whole else "more than "
        parts = [f"{some}{self.count:,} {noun}"]
        if self.newest_at is not None:
            parts.append(f"newest {duration(max(round(now - self.newest_at), 0))} ago")
        said = ", ".join(parts) + (" so far …" if not self.is_done else "")
        return f"{said}; {_shape(self.facts)}" if self.facts else said


def probe(
    parameters: Acquisition,
    protocol: Protocol,
    *,
    budget: float = BUDGET,
    step: float = STEP,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Findings]:
    """Look through a folder, and at its newest file.

    It may wait for a file server: for a thread of its own.

    Parameters
    ----------
    parameters
        The protocol's; only folder and pattern have to be known.
    protocol
        One that takes files.
    budget, step
        Seconds to look at names at most, and between two findings.

    Yields
    ------
    Findings
        Each with more than the one before; the last one is done.

    Raises
    ------
    ParameterError
        If there is no such folder, it cannot be read, or the pattern cannot be used.
    """
    root, patterns = parameters.folder, Patterns(parameters.patterns)
    if not Path(root).is_dir():
        raise ParameterError("This is a file, not a folder." if Path(root).exists() else "There is no such folder.")
    found = Findings(folder=root, noun=protocol.produces[0].plural, pattern=parameters.pattern)
    newest: list[tuple[float, str]] = []
    count = others = 0
    other, is_whole = "", True
    started = told = clock()
    for path, relative in files_below(root, patterns):
        if patterns.match(relative):
            count += 1
            newest = _with(newest, path)
        else:
            others += 1
            other = other or relative
        if (now := clock()) - started > budget:
            is_whole = False
            break
        if now - told > step:
            told = now
            yield replace(found, count=count, newest_at=max(newest)[0] if newest else None, others=others, other=other)
    found = replace(
        found,
        count=count,
        others=others,
        other=other,
        newest_at=max(newest)[0] if newest else None,
        is_whole=is_whole,
    )
    yield replace(_with_facts(found, parameters, protocol, sorted(newest, reverse=True)), is_done=True)


def _with(newest: list[tuple[float, str]], path: str) -> list[tuple[float, str]]:
    """The newest files with one more, the oldest of them first."""
    try:
        modified = os.stat(path).st_mtime  # noqa: PTH116
    except OSError:
        return newest
    if len(newest) < _TRIED:
        heapq.heappush(newest, (modified, path))
    elif modified > newest[0][0]:
        heapq.heapreplace(newest, (modified, path))
    return newest


def _with_facts(
    found: Findings, parameters: Acquisition, protocol: Protocol, newest: list[tuple[float, str]]
) -> Findings:
    trouble = ""
    for modified, path in newest:
        state = check_complete(path)
        if state.state != "complete":
            trouble = trouble or (state.message if state.state == "foreign" else "")
            continue
        try:
            facts, readings = _read(Path(path), modified, parameters, protocol)
        except EmlabError as error:
            trouble = trouble or str(error)
        else:
            return replace(found, facts=facts, readings=readings)
    return replace(found, trouble=trouble)


def _read(
    path: Path, modified: float, parameters: Acquisition, protocol: Protocol
) -> tuple[FileFacts, dict[str, Reading]]:
    facts = inspect(path, eer_upsampling=getattr(parameters, "eer_upsampling", 1))
    said, beside = read_sidecar(path) or Sidecar(), find_sidecar(path)
    source = beside.name if beside else path.name
    readings = {}
    if said.voltage:
        readings["voltage"] = Reading(said.voltage, source)
    if (pixel_size := scaled_pixel_size(facts, said)) is not None:
        readings["pixel_size"] = Reading(pixel_size, source)
    elif facts.pixel_size:
        readings["pixel_size"] = Reading(facts.pixel_size, _HEADER)
    if said.total_dose:
        readings["total_dose"] = Reading(said.total_dose, source)
    if Movie in protocol.produces:
        movie = _imported(path, modified, parameters, protocol, readings)
        facts = replace(facts, frames=movie.frames)
        if movie.dose_per_frame and said.total_dose:
            readings["dose_per_frame"] = Reading(movie.dose_per_frame, source)
    elif facts.frames > 1:
        raise FormatError(f"{path.name} has {facts.frames} frames; expected single images.")
    return facts, readings


def _imported(
    path: Path, modified: float, parameters: Acquisition, protocol: Protocol, readings: dict[str, Reading]
) -> Movie:
    """The movie as the import would make it, whatever is not known yet."""
    stood_in = {
        "pixel_size": parameters.pixel_size or (None if "pixel_size" in readings else 1.0),
        "voltage": parameters.voltage or (None if "voltage" in readings else 300.0),
        "dose_per_frame": None,
    }
    arrival = Arrival(key=path.stem, path=str(path), size=path.stat().st_size, modified=modified, evidence="probe")
    workbench = FolderWorkbench(path.parent, "", path.stem)
    movie = protocol.function(arrival, parameters.model_copy(update=stood_in), workbench)
    assert isinstance(movie, Movie)  # noqa: S101
    return movie


def _shape(facts: FileFacts) -> str:
    frames = f"×{facts.frames}" if facts.frames > 1 else ""
    raw = f" of {facts.raw_frames:,} raw frames" if facts.raw_frames != facts.frames else ""
    return f"{facts.width}×{facts.height}{frames}{raw}, {facts.description}"
