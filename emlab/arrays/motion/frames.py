"""A movie's frames, kept as they were read and cleaned one at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from emlab.arrays.gain_fit import GainFit, fit_gain
from emlab.arrays.kernel import kernel
from emlab.arrays.module import array_module, to_host
from emlab.arrays.motion.repair import Repair, clean, find_bad_pixels, plan_repair
from emlab.arrays.threads import by_rows
from emlab.errors import DataError

Array = NDArray[Any]

_MOST_BROKEN: Final = 0.01


@dataclass(frozen=True)
class CleanFrames:
    """Frames after the gain and without bad pixels, made anew each time that they are iterated over.

    Attributes
    ----------
    raw
        Counts in the file's type, (y, x) each.
    gain
        What to multiply them with: float32 (y, x).
    repair
        What is replaced.
    mean
        Per frame and pixel, after the gain.
    hot
        How many bad pixels neither gain nor defects told of.
    gain_fit
        Whether the gain is that of the frames.
    """

    raw: Sequence[Array]
    gain: Array | None
    repair: Repair
    mean: float
    hot: int
    gain_fit: GainFit | None = None

    def __len__(self) -> int:
        return len(self.raw)

    @property
    def shape(self) -> tuple[int, int]:
        """Of a frame, (y, x)."""
        height, width = self.raw[0].shape
        return height, width

    def __iter__(self) -> Iterator[Array]:
        """Each frame, float32 (y, x), in an array that the next one overwrites."""
        out = array_module(self.raw[0]).empty(self.shape, np.float32)
        for number, raw in enumerate(self.raw):
            yield clean(raw, self.gain, self.repair, number, out)

    @property
    def replaced(self) -> Array:
        """Pixels that are replaced, as (y, x): int64 (pixel, 2)."""
        return np.stack(np.divmod(to_host(self.repair.bad), self.shape[1]), axis=1)


def clean_frames(frames: Iterable[Array], gain: Array | None = None, defects: Array | None = None) -> CleanFrames:
    """Frames with what is needed to clean them.

    Parameters
    ----------
    frames
        Raw counts (y, x), of one shape; each is kept.
    gain
        What to multiply them with, 0 at pixels that are dead: float32 (y, x).
    defects
        Pixels known to be bad: bool (y, x).

    Raises
    ------
    DataError
        If there are no frames, no counts in them, too many that are not numbers, or too few good pixels.
    """
    raw: list[Array] = []
    counts: Array | None = None
    for frame in frames:
        raw.append(frame)
        if counts is None:
            counts = array_module(frame).zeros(frame.shape, np.float32)
        if array_module(frame) is np:
            by_rows(_add, len(frame), frame, counts)
        else:
            counts += frame
    if counts is None:
        raise DataError("There are no frames to align.")
    xp = array_module(counts)
    fit = None
    if gain is not None:
        fit = fit_gain(counts, gain)
        counts *= gain
    known = xp.zeros(counts.shape, bool) if defects is None else defects.copy()
    if gain is not None:
        known |= gain == 0
    told = int(known.sum())
    if raw[0].dtype.kind == "f":
        known |= _without_numbers(counts)
    if known.all() or not float(counts[~known].sum()) > 0:
        raise DataError(
            f"The frames are blank: {len(raw)} frames of {counts.shape[1]} × {counts.shape[0]} px without a single "
            "count."
        )
    bad = find_bad_pixels(counts, known)
    mean = float(counts[~bad].mean(dtype=np.float64)) / len(raw)
    return CleanFrames(raw, gain, plan_repair(bad), mean, int(bad.sum()) - told, fit)


def _without_numbers(counts: Array) -> Array:
    """Pixels that are nan or infinite in a frame, which become 0 in the sum: bool (y, x)."""
    xp = array_module(counts)
    broken = ~xp.isfinite(counts)
    if (number := int(broken.sum())) > _MOST_BROKEN * counts.size:
        raise DataError(
            f"{number} of {counts.size} pixels of the frames are not numbers (nan or infinite), too many to be camera "
            "defects; export the movie again."
        )
    counts[broken] = 0
    return broken  # type: ignore[no-any-return]


@kernel
def _add(start: int, stop: int, frame: Array, counts: Array) -> None:
    for y in range(start, stop):
        source, target = frame[y], counts[y]
        for x in range(source.size):
            target[x] += np.float32(source[x])
