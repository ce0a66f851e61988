"""Movies of any format that emlab reads."""

from __future__ import annotations

from pathlib import Path

from emlab.formats.eer import EerFrames
from emlab.formats.kind import EER_COMPRESSIONS, kind_of
from emlab.formats.mrc import MrcFrames
from emlab.formats.source import Source
from emlab.formats.tiff import NAMES, TiffFrames
from emlab.model import FileFacts, Frames


def open_movie(path: str | Path, eer_grouping: int | None = None, eer_upsampling: int = 1) -> Frames:
    """The frames of a movie, decoded one at a time.

    Parameters
    ----------
    path
        An MRC, TIFF or EER, told by its content.
    eer_grouping
        Raw frames per fraction of an EER; each by itself where ``None``.
    eer_upsampling
        1 for an EER's own pixels, 2 for half pixels.

    Raises
    ------
    FormatError
        If it is not one of these, or is damaged.
    TruncatedFile
        If its end is missing.
    """
    return _opened(path, eer_grouping, eer_upsampling)


def inspect(path: str | Path, eer_grouping: int | None = None, eer_upsampling: int = 1) -> FileFacts:
    """What the header of a movie or an image says; the arguments and errors of `open_movie`."""
    frames = _opened(path, eer_grouping, eer_upsampling)
    count, height, width = frames.shape
    match frames:
        case MrcFrames(header=header):
            kind, description, raw = "mrc", f"MRC mode {header.mode}, {header.dtype.name}", count
            pixel_size = header.pixel_size
        case TiffFrames(pages=pages, dtype=dtype, is_packed=is_packed):
            values = "4-bit" if is_packed else dtype.name
            kind, description, raw = "tiff", f"TIFF {NAMES[pages[0].compression]} {values}", count
            pixel_size = pages[0].pixel_size
        case EerFrames(pages=pages):
            kind, description, raw = "eer", f"EER {EER_COMPRESSIONS[pages[0].compression]}", len(pages)
            sensor = pages[0].pixel_size
            pixel_size = sensor / eer_upsampling if sensor else None
    return FileFacts(
        format=kind,
        description=description,
        frames=count,
        height=height,
        width=width,
        raw_frames=raw,
        pixel_size=pixel_size,
    )


def _opened(path: str | Path, eer_grouping: int | None, eer_upsampling: int) -> MrcFrames | TiffFrames | EerFrames:
    with Source(path) as source:
        kind = kind_of(source)
    match kind:
        case "mrc":
            return MrcFrames(path)
        case "tiff":
            return TiffFrames(path)
        case "eer":
            return EerFrames(path, eer_grouping or 1, eer_upsampling)
