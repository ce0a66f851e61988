"""The aligned sum of a movie, and the power spectrum that comes with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from emlab.arrays.dose import dose_weights
from emlab.arrays.fft import fast_length, irfft2
from emlab.arrays.module import array_module
from emlab.arrays.motion.accumulate import add_weighted
from emlab.arrays.motion.band import low_spectrum
from emlab.arrays.motion.field import MotionField
from emlab.arrays.motion.frames import CleanFrames
from emlab.arrays.motion.resample import blocks_of, scratch_shape, shift_whole, warp
from emlab.arrays.motion.spectrum import add_power, tile_power
from emlab.arrays.threads import threads

Array = NDArray[Any]

_RINGS: Final = 4096
"""Per cycle/px; dose weights are the same within one."""
_GROUP_DOSE: Final = 16.0
"""e/Å². Thon rings stand out of the noise in proportion to the dose of a group, until ice that the beam shakes, and
damage, blur them; the frames are aligned by now, so that groups may be larger than those of raw movies (4 e/Å²)."""
_GROUPS: Final = 3
"""Where the dose is not known."""
_PADDING: Final = 1.07
"""The most that frames are made longer by, for the sake of a fast transform and of an exact binning."""


@dataclass(frozen=True)
class Dose:
    """What the specimen was exposed to: e/Å² per frame and before the first one, at a voltage (kV)."""

    per_frame: float
    before: float
    voltage: float


@dataclass(frozen=True)
class Sums:
    """What a movie is summed to.

    Attributes
    ----------
    image
        With dose weights where the dose is known: float32 (y, x).
    unweighted
        Without them, where both was asked for: float32 (y, x).
    halves
        What every second frame contributes to ``image``, from the first and from the second on, where that was asked
        for: float32 (y, x) each, of sum ``image``.
    power
        Mean power of Hann tiles of sums of about 16 e/Å², without dose weights: float32 (tile, tile), the centre at
        [tile//2, tile//2].
    """

    image: Array
    unweighted: Array | None
    halves: tuple[Array, Array] | None
    power: Array


def sum_frames(
    frames: CleanFrames,
    field: MotionField,
    pixel_size: float,
    *,
    dose: Dose | None = None,
    grouping_dose: float | None = None,
    binning: float = 1.0,
    unweighted: bool = False,
    halves: bool = False,
) -> Sums:
    """Frames moved back to where the specimen was in the first, and added up.

    Parameters
    ----------
    field
        The motion of these frames.
    pixel_size
        Of the frames, Å.
    dose
        For dose weights (Grant & Grigorieff, 10.7554/eLife.06980), normalised so that noise stays white.
    grouping_dose
        e/Å² per frame, for the groups of the power spectrum.
    binning
        By cropping in Fourier space; of 1 or more.
    unweighted
        Whether the sum without dose weights is wanted beside the one with them.
    halves
        Whether those of odd and even frames are wanted too.

    Notes
    -----
    Of the displacement of the whole field the whole pixels are done by moving, the rest exactly, in Fourier space; only
    motion within the field is interpolated. What moves in from outside the camera is the mirror image of what is there.
    Frames of awkward sizes are continued in the same way, to where transforms are fast and the binned pixel is exact.
    """
    shape = frames.shape
    height, width = (round(size / binning) for size in shape)
    (tall, rows), (wide, columns) = (_padded(size, binning) for size in shape)
    padded, binned = (tall, wide), (rows, columns)
    half = (rows, columns // 2 + 1)
    xp = array_module(frames.raw[0])
    group, power = xp.zeros(half, np.complex64), xp.zeros(half, np.float32)
    parts = [xp.zeros(half, np.complex64) for _ in range(1 + halves)]
    total = xp.zeros(half, np.complex64) if dose and unweighted else None
    weights, ring = _weights(dose, len(frames), binned, pixel_size * binning, xp)
    per_group = _per_group(grouping_dose, len(frames))
    resampled = _Resampled(frames, field, padded, binned)
    for number, (spectrum, rest) in enumerate(resampled):
        add_weighted(spectrum, rest, columns, weights[number], ring, group, parts[number % len(parts)])
        if (number + 1) % per_group == 0 or number == len(frames) - 1:
            add_power(group, power)
            if total is not None:
                total += group
            group[...] = 0
    power /= np.float32(-(-len(frames) // per_group))

    def image(spectrum: Array) -> Array:
        # The highest frequencies have no partners to make a real image with: each library would make up its own.
        spectrum[rows // 2], spectrum[:, columns // 2] = 0, 0
        whole = irfft2(spectrum, columns, threads())
        return whole if whole.shape == (height, width) else xp.ascontiguousarray(whole[:height, :width])

    images = [image(part) for part in parts]
    return Sums(
        image=images[0] + images[1] if halves else images[0],
        unweighted=None if total is None else image(total),
        halves=(images[0], images[1]) if halves else None,
        power=tile_power(power, binned, min(1024, min(height, width) // 4 * 2)),
    )


class _Resampled:
    """Half spectra of frames that were moved back by all but a fraction of a pixel, and this fraction in binned px."""

    def __init__(
        self, frames: CleanFrames, field: MotionField, padded: tuple[int, int], binned: tuple[int, int]
    ) -> None:
        self._frames, self._field, self._padded, self._binned = frames, field, padded, binned

    def __iter__(self) -> Any:
        frames, field, shape = self._frames, self._field, self._padded
        xp = array_module(frames.raw[0])
        moved = xp.empty(shape, np.float32)
        whole = None if shape == self._binned else xp.empty((shape[0], shape[1] // 2 + 1), np.complex64)
        spectrum = xp.empty((self._binned[0], self._binned[1] // 2 + 1), np.complex64)
        # Beyond the field its motion is that of its edge; a polynomial would run away.
        y, x = (np.minimum(place, size - 1) for place, size in zip(blocks_of(shape), frames.shape, strict=True))
        scratch = xp.empty(scratch_shape(shape, field.largest_local()), np.float32) if field.is_local else None
        local = field.local_on(y, x, xp)
        coarse = all(2 * left <= size for left, size in zip(self._binned, shape, strict=True))
        for number, frame in enumerate(frames):
            steps = np.round(field.whole[number]).astype(int)
            rest = (field.whole[number] - steps) * np.array(self._binned) / np.array(shape)
            pixels = (int(steps[0]), int(steps[1]))
            if scratch is None:
                shift_whole(frame, pixels, moved)
            else:
                local_y, local_x = local(number).astype(np.float32)
                warp(frame, pixels, local_y, local_x, scratch, moved, coarse=coarse)
            yield low_spectrum(moved, self._binned, whole, spectrum), tuple(rest)


def _per_group(dose: float | None, frames: int) -> int:
    return max(1, round(_GROUP_DOSE / dose)) if dose else max(1, -(-frames // _GROUPS))


def _padded(length: int, binning: float) -> tuple[int, int]:
    """Length of at least ``length`` px whose transform is fast, and the even one that is left of it by binning."""
    candidates: list[tuple[float, int, int]] = []
    longer = fast_length(length)
    while longer <= _PADDING * length or not candidates:
        binned = 2 * max(1, round(longer / binning / 2))
        candidates.append((round(abs(longer / (binned * binning) - 1.0), 9), longer, binned))
        longer = fast_length(longer + 2)
    return min(candidates)[1:]


def _weights(dose: Dose | None, frames: int, shape: tuple[int, int], pixel_size: float, xp: Any) -> tuple[Array, Array]:
    rings = int(np.ceil(np.sqrt(0.5) * _RINGS)) + 1
    if dose is None:
        weights = np.ones((frames, rings), np.float32)
    else:
        frequency = np.arange(rings) / (_RINGS * pixel_size)
        weights = dose_weights(frequency, frames, dose.per_frame, dose.voltage, dose.before)
    along_y, along_x = xp.fft.fftfreq(shape[0])[:, None], xp.fft.rfftfreq(shape[1])[None, :]
    ring = (xp.hypot(along_y.astype(np.float32), along_x.astype(np.float32)) * _RINGS + 0.5).astype(np.uint16)
    return xp.asarray(weights), ring
