"""What EPU tells about a movie: its XML, and the names that it gives."""

from __future__ import annotations

import math
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Final
from xml.etree.ElementTree import Element, ParseError
from xml.parsers.expat import errors
from xml.parsers.expat.errors import codes

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from emlab.errors import FormatError, TruncatedFile
from emlab.formats.source import Source
from emlab.model import Sidecar
from emlab.units import ELECTRONS_PER_SQUARE_METRE, METRE

_MOVIE: Final = re.compile(r"FoilHole_(\d+)_Data_\w+?_((?:19|20)\d{6}_\d{6})(?!\d)")
_GRID_SQUARE: Final = re.compile(r"GridSquare_(\d+)")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?")
_OFFSET: Final = re.compile(r"(Z|[+-]\d\d:\d\d)$")
_LONGEST: Final = 1 << 24
_CUT: Final = {
    codes[said]
    for said in (
        errors.XML_ERROR_NO_ELEMENTS,
        errors.XML_ERROR_UNCLOSED_TOKEN,
        errors.XML_ERROR_PARTIAL_CHAR,
        errors.XML_ERROR_UNCLOSED_CDATA_SECTION,
    )
}
"""What the parser says of a file whose end is missing."""


@dataclass(frozen=True)
class EpuName:
    """What the path of a file of EPU's says.

    Attributes
    ----------
    grid_square, hole
        EPU's identifiers.
    taken_at
        When, by the clock of the microscope's computer.
    """

    grid_square: str | None
    hole: str | None
    taken_at: datetime | None


def read_epu_name(path: str | Path) -> EpuName:
    """What the names of a file and its folders say; ``None`` where they are not EPU's."""
    square = next(filter(None, (_GRID_SQUARE.fullmatch(part) for part in reversed(Path(path).parts))), None)
    movie = _MOVIE.match(Path(path).name)
    return EpuName(
        grid_square=square[1] if square else None,
        hole=movie[1] if movie else None,
        taken_at=_clock(movie[2]) if movie else None,
    )


def read_epu_xml(path: str | Path) -> Sidecar:
    """What EPU's XML of an image says.

    The time is the name's where the XML's cannot be read, in the XML's time zone if it has one.

    Raises
    ------
    FormatError
        If it is not EPU's XML of an image; `TruncatedFile` where its end is missing, which may be on its way.
    """
    with Source(path) as source:
        if source.size > _LONGEST:
            raise FormatError(f"{path} is too long to be EPU's XML of an image.")
        text = source.read(0, source.size)
    try:
        root: Element = fromstring(text)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        is_cut = getattr(error, "code", None) in _CUT
        raise (TruncatedFile if is_cut else FormatError)(
            f"{path} is not well-formed XML ({error}); if it is still being written, wait; otherwise copy it again or "
            "remove it."
        ) from None
    if root.tag.rpartition("}")[2] != "MicroscopeImage":
        raise FormatError(f"{path} is not EPU's XML of an image but of a {root.tag.rpartition('}')[2]}.")
    custom = {entry.findtext("{*}Key"): entry.findtext("{*}Value") for entry in root.iterfind("{*}CustomData/*")}
    stage = "microscopeData/stage/Position"
    width = _number(_text(root, "microscopeData/acquisition/camera/ReadoutArea/width"))
    name = read_epu_name(path)
    return Sidecar(
        acquired_at=_acquired_at(_text(root, "microscopeData/acquisition/acquisitionDateTime"), name.taken_at),
        pixel_size=_positive(_text(root, "SpatialScale/pixelSize/x/numericValue"), METRE),
        width=int(width) if width and width > 0 else None,
        voltage=_positive(_text(root, "microscopeData/gun/AccelerationVoltage"), 1e-3),
        total_dose=_positive(custom.get("Dose"), ELECTRONS_PER_SQUARE_METRE),
        stage_x=_number(_text(root, f"{stage}/X"), METRE),
        stage_y=_number(_text(root, f"{stage}/Y"), METRE),
        stage_tilt=_number(_text(root, f"{stage}/A"), math.degrees(1)),
        target_defocus=_number(custom.get("AppliedDefocus"), -METRE),
        grid_square=name.grid_square,
        hole=name.hole,
    )


def _text(root: Element, path: str) -> str | None:
    return root.findtext("/".join(f"{{*}}{name}" for name in path.split("/")))


def _number(text: str | None, unit: float = 1.0) -> float | None:
    try:
        value = float(text or "nan") * unit
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _positive(text: str | None, unit: float) -> float | None:
    value = _number(text, unit)
    return value if value and value > 0 else None


def _acquired_at(text: str | None, named: datetime | None) -> float | None:
    # Simulators write seconds of three digits, which some versions of Python read and others do not.
    if _TIME.fullmatch(text or ""):
        with suppress(ValueError, OverflowError, OSError):
            return datetime.fromisoformat(text or "").timestamp()
    return named.replace(tzinfo=_zone(text or "")).timestamp() if named else None


def _zone(text: str) -> tzinfo | None:
    offset = _OFFSET.search(text)
    with suppress(ValueError):
        return datetime.strptime(offset[0], "%z").tzinfo if offset else None
    return None


def _clock(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y%m%d_%H%M%S")  # noqa: DTZ007 - the name has no zone
    except ValueError:
        return None
