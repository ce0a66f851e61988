"""What files say about themselves."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class FileFacts:
    """What the header of a movie or a micrograph says.

    Attributes
    ----------
    format
        ``mrc``, ``tiff`` or ``eer``.
    description
        For people: ``TIFF LZW uint8``, say.
    frames, height, width
        As read; an EER's are those of its grouped fractions.
    raw_frames
        An EER's frames before grouping; equal to ``frames`` for other formats.
    pixel_size
        Å, as read; ``None`` where the header does not tell.
    """

    format: str
    description: str
    frames: int
    height: int
    width: int
    raw_frames: int
    pixel_size: float | None = None


@dataclass(frozen=True, kw_only=True)
class Sidecar:
    """What EPU's XML or SerialEM's mdoc beside a movie says; ``None`` where it says nothing.

    Attributes
    ----------
    acquired_at
        Seconds since 1970-01-01 UTC.
    pixel_size
        Å, of the image that the sidecar describes: EPU's summed image may be binned against the movie.
    width
        px of that image, so that the movie's own pixel size follows.
    voltage, spherical_aberration
        kV, mm.
    total_dose
        e/Å².
    stage_x, stage_y, stage_tilt
        Å, Å, degrees.
    target_defocus
        Å, underfocus positive.
    grid_square, hole
        EPU's identifiers.
    """

    acquired_at: float | None = None
    pixel_size: float | None = None
    width: int | None = None
    voltage: float | None = None
    spherical_aberration: float | None = None
    total_dose: float | None = None
    stage_x: float | None = None
    stage_y: float | None = None
    stage_tilt: float | None = None
    target_defocus: float | None = None
    grid_square: str | None = None
    hole: str | None = None
