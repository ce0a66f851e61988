"""A movie: the frames of one exposure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emlab.model.optics import Imaged


@dataclass(frozen=True, kw_only=True)
class Movie(Imaged):
    """A movie file, and how to read it.

    Attributes
    ----------
    path
        Absolute path.
    frames, height, width
        As read: an EER's raw frames are grouped into fractions, and rendered at the upsampled size.
    dose_per_frame
        e/Å² per frame as read (per fraction of an EER); ``None`` when unknown.
    pre_exposure
        e/Å² before the first frame.
    gain_reference, defects
        Absolute paths, or ``None``.
    gain_rotation
        Quarter turns as MotionCor and RELION count them, applied before the flip: 0, 1, 2 or 3. They are clockwise
        where the first row is on top.
    gain_flip
        0 none, 1 upside down, 2 left–right.
    eer_grouping
        Raw frames per fraction; ``None`` for other formats.
    eer_upsampling
        1 for the sensor's own pixels (4K), 2 for half pixels (8K).
    size
        Bytes of the file.
    """

    kind: ClassVar[str] = "movie"
    plural: ClassVar[str] = "movies"

    path: str
    frames: int
    height: int
    width: int
    dose_per_frame: float | None = None
    pre_exposure: float = 0.0
    gain_reference: str | None = None
    gain_rotation: int = 0
    gain_flip: int = 0
    defects: str | None = None
    eer_grouping: int | None = None
    eer_upsampling: int = 1
    size: int = 0
