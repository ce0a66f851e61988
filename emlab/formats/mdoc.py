"""What SerialEM's mdoc tells about a movie.

Read line by line rather than with mdocfile, which imports pandas and refuses a file for one odd value.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path, PureWindowsPath
from typing import Final

from emlab.errors import FormatError
from emlab.formats.source import Source
from emlab.model import Sidecar
from emlab.units import MICROMETRE

_ENTRY: Final = re.compile(r"([\w-]+)\s*=\s*(.*)")
_SECTION: Final = re.compile(r"\[(FrameSet|ZValue)\s*=")
_CLOCKS: Final = ("%d-%b-%y %H:%M:%S", "%d-%b-%Y %H:%M:%S")
_LONGEST: Final = 1 << 24


def read_mdoc(path: str | Path, movie: str | Path | None = None) -> Sidecar:
    """What an mdoc says about a movie.

    Parameters
    ----------
    path
        The mdoc.
    movie
        Chooses the section whose frames these are, where the mdoc has several.

    Raises
    ------
    FormatError
        If it is not an mdoc, or does not tell which of its sections is the movie's.
    """
    with Source(path) as source:
        if source.size > _LONGEST:
            raise FormatError(f"{path} is too long to be an mdoc.")
        text = source.read(0, source.size).decode("latin-1")
    shared, *sections = _sections(text)
    if not sections:
        raise FormatError(f"{path} is not an mdoc: it has no section [FrameSet = …] or [ZValue = …].")
    entries = shared | _chosen(sections, Path(path), movie)
    size, width = _pixel_size(entries)
    stage = _numbers(entries, "StagePosition")
    return Sidecar(
        acquired_at=_acquired_at(entries.get("DateTime", "")),
        pixel_size=size,
        width=width,
        voltage=_positive(entries, "Voltage"),
        total_dose=_positive(entries, "ExposureDose") or _dose_of_frames(entries),
        stage_x=stage[0] * MICROMETRE if len(stage) > 1 else None,
        stage_y=stage[1] * MICROMETRE if len(stage) > 1 else None,
        stage_tilt=next(iter(_numbers(entries, "TiltAngle")), None),
        target_defocus=next((-value * MICROMETRE for value in _numbers(entries, "TargetDefocus")), None),
    )


def _sections(text: str) -> list[dict[str, str]]:
    """What precedes the sections, then each section."""
    sections: list[dict[str, str]] = [{}]
    for line in text.splitlines():
        if _SECTION.match(line.strip()):
            sections.append({})
        elif entry := _ENTRY.fullmatch(line.strip()):
            sections[-1][entry[1]] = entry[2]
    return sections


def _chosen(sections: list[dict[str, str]], path: Path, movie: str | Path | None) -> dict[str, str]:
    if len(sections) == 1:
        return sections[0]
    for section in sections:
        # PureWindowsPath understands both kinds of slashes.
        if movie and PureWindowsPath(section.get("SubFramePath", "")).name == Path(movie).name:
            return section
    raise FormatError(f"{path} has {len(sections)} sections, but none whose SubFramePath is {movie}.")


def _pixel_size(entries: Mapping[str, str]) -> tuple[float | None, int | None]:
    """Å, and the width of the image that has such pixels; ``None`` where it is the movie itself.

    A binned view was shown while the frames were saved unbinned: its pixels are not theirs, and only its width
    tells the ratio.
    """
    size = _positive(entries, "PixelSpacing")
    binning = _positive(entries, "Binning")
    if binning is None or binning <= 1:
        return size, None
    # Negative where the image was turned or flipped.
    width = next((abs(int(value)) for value in _numbers(entries, "UncroppedSize")), None)
    return (size, width) if width else (None, None)


def _dose_of_frames(entries: Mapping[str, str]) -> float | None:
    values = _numbers(entries, "FrameDosesAndNumber")
    total = sum(dose * count for dose, count in zip(values[::2], values[1::2], strict=False))
    return total if total > 0 else None


def _numbers(entries: Mapping[str, str], key: str) -> list[float]:
    try:
        values = [float(word) for word in entries.get(key, "").split()]
    except ValueError:
        return []
    return values if all(math.isfinite(value) for value in values) else []


def _positive(entries: Mapping[str, str], key: str) -> float | None:
    return next((value for value in _numbers(entries, key) if value > 0), None)


def _acquired_at(text: str) -> float | None:
    """SerialEM's clock has no zone: it is taken for this computer's."""
    for clock in _CLOCKS:
        with suppress(ValueError, OverflowError, OSError):
            return datetime.strptime(" ".join(text.split()), clock).timestamp()  # noqa: DTZ007
    return None
