"""The extracted particles of a micrograph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emlab.model.optics import Focused


@dataclass(frozen=True, kw_only=True)
class Particles(Focused):
    """A stack with an image of each particle; ``pixel_size`` is the stack's.

    Attributes
    ----------
    micrograph
        The image that they were extracted from.
    stack
        An MRC stack, float32 or float16 (particle, y, x), square; protein is white, and outside the particle's circle
        the mean is 0 and the standard deviation 1. A particle's centre is at [box_size // 2, box_size // 2]. ``None``
        where there are no particles.
    coordinates
        A NumPy file, float32 (particle, 3), of the particles in the stack, in its order: x (column), y (row), px of
        the micrograph, (0, 0) being the centre of the first stored pixel; and the picking score. x and y are whole
        numbers: the pixel that became the centre of the image.
    count
        How many are in the stack.
    left_out
        Number of picked particles so near an edge that their box extends beyond the micrograph.
    box_size
        px of the stack.
    diameter
        Of the particle's circle, Å.
    micrograph_pixel_size
        Å; ``pixel_size`` over this is the binning.
    phases_flipped
        Whether the CTF's phases were flipped.
    warning
        A sentence for people when the result is doubtful.
    """

    kind: ClassVar[str] = "particles"
    plural: ClassVar[str] = "particles"

    micrograph: str
    stack: str | None
    coordinates: str
    count: int
    left_out: int
    box_size: int
    diameter: float
    micrograph_pixel_size: float
    phases_flipped: bool = False
    warning: str | None = None
