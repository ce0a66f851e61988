"""Class averages of particles, as they are after a batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emlab.model.record import Record


@dataclass(frozen=True, kw_only=True)
class Classes(Record):
    """2D class averages after another batch of particles; each batch has a record of its own.

    Its key tells which micrographs' particles are in the batch: see `emlab.session.Session.batches`.

    Attributes
    ----------
    averages
        An MRC stack, float32 (class, y, x), in the order of the classes' numbers; protein is white.
    picture
        A JPEG of the averages, the class with most particles first, row by row.
    assignments
        A NumPy file, a structured array with an element for each particle of the batch: ``member``, the number of its
        record in the batch, and ``particle``, its number in that record's stack, both from 0; ``class_number`` from 1;
        ``angle``, degrees from x towards y that turn it to its class, after it was moved by ``shift_y``, ``shift_x``
        (Å); ``certainty``, the probability of the class; and ``score``, its log-likelihood over that of an empty image.
    learned
        A NumPy file: the state from which the next batch continues.
    noise
        Power of the particles' noise on rings around zero frequency, from the innermost.
    batches
        How many batches there are so far.
    count, total
        Particles in this batch, and in all so far.
    box_size, pixel_size, diameter
        Of the averages, px and Å; the circle that they are masked with, Å.
    shares
        Share of the particles in each class, 0 to 1; later batches weigh more.
    sizes
        Particles in each class, of all batches, as they were assigned when they came.
    resolutions
        Å at which the averages of two halves of each class's particles agree to a half, both having been aligned to
        the same average; not a number where they nowhere do.
    warning
        A sentence for people when the result is doubtful.
    """

    kind: ClassVar[str] = "classes"
    plural: ClassVar[str] = "classes"

    averages: str
    picture: str
    assignments: str
    learned: str
    noise: tuple[float, ...]
    batches: int
    count: int
    total: int
    box_size: int
    pixel_size: float
    diameter: float
    shares: tuple[float, ...]
    sizes: tuple[float, ...]
    resolutions: tuple[float, ...]
    warning: str | None = None
