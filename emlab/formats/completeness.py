"""Whether a file is whole, as far as its own structure tells."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from emlab.errors import FormatError, TruncatedFile
from emlab.formats.eer import eer_pages
from emlab.formats.kind import kind_of
from emlab.formats.mrc_header import check_size, read_mrc_header
from emlab.formats.source import Source
from emlab.formats.tiff import movie_pages


@dataclass(frozen=True, kw_only=True)
class Completeness:
    """What a file's structure says.

    Attributes
    ----------
    state
        ``complete``: all that the header declares is there. ``growing``: something is missing. ``foreign``: it is
        not a movie or an image that emlab reads, or is damaged, and waiting will not help.
    frames
        How many there are (raw ones of an EER); 0 unless complete. A TIFF or EER that is written frame by frame is
        complete after each: compare with the number that is expected.
    message
        Why not complete, for people.
    """

    state: Literal["complete", "growing", "foreign"]
    frames: int = 0
    message: str = ""


def check_complete(path: str | Path) -> Completeness:
    """Whether all that a file declares is there; pixels are not read."""
    try:
        with Source(path) as source:
            return Completeness(state="complete", frames=_frames(source))
    except TruncatedFile as error:
        return Completeness(state="growing", message=str(error))
    except FormatError as error:
        return Completeness(state="foreign", message=str(error))


def _frames(source: Source) -> int:
    match kind_of(source):
        case "mrc":
            header = read_mrc_header(source)
            check_size(source, header)
            return header.frames
        case "tiff":
            return len(movie_pages(source))
        case "eer":
            return len(eer_pages(source))
