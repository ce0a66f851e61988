"""Frames resampled where the specimen moved: shifts by whole pixels, and smooth displacements within the field."""

from __future__ import annotations

from functools import lru_cache
from types import ModuleType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from emlab.arrays.cuda import Cuda
from emlab.arrays.kernel import kernel
from emlab.arrays.module import array_module
from emlab.arrays.threads import by_rows

Array = NDArray[Any]

TAPS: Final = 12
"""Length of the interpolation kernel, px."""
BLOCK: Final = (8, 16)
"""Rows and columns that share one displacement; 16 float32 fill a vector register."""
_CUDA: Final = Cuda(__file__)
_STEPS: Final = 512
_FREQUENCIES: Final = 256


def _kernel_table(taps: int, top: float) -> Array:
    """The kernel for each fraction of a pixel: float32 (fraction, `TAPS`), each row of sum 1.

    The least squares fit, with ``taps`` in the middle, of a pure delay to all frequencies k up to ``top`` cycles/px,
    which count (1 − k²/top²)² each. With 12 taps it is within 1 % to 0.25 cycles/px and 4 % to 0.42, a sixth at 0.45
    (with 8 taps a third is lost there, and the sum is less sharp than motion is known); with 4 within 2 % to 0.22.
    """
    table = np.zeros((_STEPS + 1, TAPS))
    used = np.arange(TAPS // 2 - taps // 2, TAPS // 2 + taps // 2)
    place = used - (TAPS // 2 - 1)
    fraction = np.arange(_STEPS + 1)[:, None] / _STEPS
    frequency = (np.arange(_FREQUENCIES) + 0.5) * (top / _FREQUENCIES)
    weight = (1.0 - (frequency / top) ** 2) ** 2

    def overlap(distance: Array) -> Array:
        return np.tensordot(np.cos(2 * np.pi * distance[..., None] * frequency), weight, 1)

    table[:, used] = np.linalg.solve(overlap(place[:, None] - place), overlap(place - fraction).T).T
    return (table / table.sum(axis=1, keepdims=True)).astype(np.float32)  # type: ignore[no-any-return]


_TABLE: Final = _kernel_table(TAPS, 0.5)
_COARSE_TABLE: Final = _kernel_table(4, 0.25)


def shift_whole(frame: Array, shift: tuple[int, int], out: Array) -> Array:
    """The frame moved by minus ``shift`` whole px, its margins mirrored: ``out`` (y, x).

    Parameters
    ----------
    frame
        Axes (y, x).
    shift
        Displacement of the specimen (y, x), px.
    out
        Float32, of the frame's shape or larger.
    """
    if array_module(frame) is not np:
        _CUDA("copy", out.shape, frame, *frame.shape, *shift, out, *out.shape)
        return out
    rows, columns = (mirrored(np.arange(out.shape[axis]) + shift[axis], frame.shape[axis]) for axis in (0, 1))
    by_rows(_copy, len(out), frame, rows, columns, shift[1], out)
    return out


def warp(
    frame: Array,
    shift: tuple[int, int],
    local_y: Array,
    local_x: Array,
    scratch: Array,
    out: Array,
    *,
    coarse: bool = False,
) -> Array:
    """The frame moved by minus ``shift`` and minus a displacement within the field: ``out`` (y, x).

    Parameters
    ----------
    frame
        Float32 (y, x).
    shift
        Whole px, (y, x).
    local_y, local_x
        Displacement of each block of `BLOCK` px: float32 (block row, block column), px.
    scratch
        Float32, `scratch_shape` of ``out`` and the largest displacement.
    out
        Float32, of the frame's shape or larger.
    coarse
        Whether frequencies beyond half of Nyquist do not matter, since the result is binned.

    Notes
    -----
    Two passes of an interpolation kernel of 12 taps, or 4, along x and then along y.
    """
    height, width = out.shape
    margin = (scratch.shape[0] - height) // 2
    xp = array_module(frame)
    if xp is not np:
        table = _on_card(xp, coarse)
        moved = (*frame.shape, *shift, local_x, *local_x.shape, table, len(table) - 1)
        _CUDA("along_x", (scratch.shape[0], width), frame, *moved, margin, scratch, *scratch.shape, width)
        moved = (local_y, local_y.shape[1], table, len(table) - 1)
        _CUDA("along_y", out.shape, scratch, scratch.shape[1], margin, *moved, coarse, out, *out.shape)
        return out
    table = _COARSE_TABLE if coarse else _TABLE
    reach = TAPS + int(np.abs(local_x).max()) + 1
    rows = mirrored(np.arange(-margin, height + margin) + shift[0], frame.shape[0])
    columns = mirrored(np.arange(-reach, width + reach + BLOCK[1]) + shift[1], frame.shape[1])
    moved = columns, shift[1], reach, margin, local_x, table, coarse, width, scratch
    by_rows(_along_x, rows.size, frame, rows, *moved)
    by_rows(_along_y, height, scratch, margin, local_y, table, coarse, out)
    return out


def halve(image: Array) -> Array:
    """Sums of 2 × 2 px: float32 (y // 2, x // 2); an odd last row or column is left out."""
    height, width = image.shape[0] // 2, image.shape[1] // 2
    xp = array_module(image)
    if xp is not np:
        out = xp.empty((height, width), np.float32)
        _CUDA("halve", out.shape, image, image.shape[1], out, *out.shape)
        return out  # type: ignore[no-any-return]
    out = np.empty((height, width), np.float32)
    by_rows(_halve, height, image, out)
    return out


def scratch_shape(shape: tuple[int, int], largest: float) -> tuple[int, int]:
    """Shape of `warp`'s scratch array for results of ``shape`` that move by up to ``largest`` px within the field.

    A row is an odd number of cache lines: with 16 KiB from row to row all rows that the second pass reads at once would
    contend for the same few places of the cache, which takes half as long again.
    """
    lines = -(-shape[1] // BLOCK[1])
    return shape[0] + 2 * (TAPS + int(largest) + 1), (lines + 1 - lines % 2) * BLOCK[1]


def blocks_of(shape: tuple[int, int]) -> tuple[Array, Array]:
    """Centres of the blocks along y and along x, px."""
    tops, lefts = (np.arange(0, size, step) for size, step in zip(shape, BLOCK, strict=True))
    return tops + (BLOCK[0] - 1) / 2, lefts + (BLOCK[1] - 1) / 2


def mirrored(index: Array, length: int) -> Array:
    """Indices into an axis of ``length`` that continues beyond its ends as its mirror image."""
    folded = np.mod(index, 2 * length)
    return np.where(folded < length, folded, 2 * length - 1 - folded)


@lru_cache(maxsize=4)
def _on_card(xp: ModuleType, coarse: bool) -> Array:
    return xp.asarray(_COARSE_TABLE if coarse else _TABLE)  # type: ignore[no-any-return]


@kernel
def _copy(start: int, stop: int, frame: Array, rows: Array, columns: Array, first: int, out: Array) -> None:
    for y in range(start, stop):
        _line(frame[rows[y]], columns, first, out[y])


@kernel
def _line(source: Array, columns: Array, first: int, line: Array) -> None:
    """Fill ``line`` with ``columns`` of ``source``: they begin at ``first`` and are consecutive inside of it."""
    start = min(max(-first, 0), line.size)
    stop = max(min(source.size - first, line.size), start)
    for x in range(start):
        line[x] = source[columns[x]]
    line[start:stop] = source[start + first : stop + first]
    for x in range(stop, line.size):
        line[x] = source[columns[x]]


@kernel
def _halve(start: int, stop: int, image: Array, out: Array) -> None:
    for y in range(start, stop):
        above, below, target = image[2 * y], image[2 * y + 1], out[y]
        for x in range(target.size):
            target[x] = above[2 * x] + above[2 * x + 1] + below[2 * x] + below[2 * x + 1]


# Slices of a fixed length and loops of 16 are what lets the compiler use vector registers: with plain indices it
# must provide for negative ones, and the passes take five times as long. The last block is moved left to be whole.
@kernel
def _along_x(
    start: int,
    stop: int,
    frame: Array,
    rows: Array,
    columns: Array,
    shift: int,
    reach: int,
    margin: int,
    local_x: Array,
    table: Array,
    coarse: bool,
    width: int,
    out: Array,
) -> None:
    steps, last = table.shape[0] - 1, local_x.shape[0] - 1
    line = np.empty(columns.size, np.float32)
    for y in range(start, stop):
        _line(frame[rows[y]], columns, shift - reach, line)
        band = min(max((y - margin) // 8, 0), last)
        for block in range(local_x.shape[1]):
            moved = local_x[band, block]
            whole = int(np.floor(moved))
            step = int((moved - whole) * steps + np.float32(0.5))
            a, b, c, d = table[step, 0], table[step, 1], table[step, 2], table[step, 3]
            e, f, g, h = table[step, 4], table[step, 5], table[step, 6], table[step, 7]
            i, j, k, m = table[step, 8], table[step, 9], table[step, 10], table[step, 11]
            left = min(block * 16, width - 16)
            first = left + reach + whole - 5
            part = line[first : first + 27]
            target = out[y, left : left + 16]
            if coarse:
                for x in range(16):
                    target[x] = e * part[x + 4] + f * part[x + 5] + g * part[x + 6] + h * part[x + 7]
                continue
            for x in range(16):
                before = a * part[x] + b * part[x + 1] + c * part[x + 2] + d * part[x + 3]
                around = e * part[x + 4] + f * part[x + 5] + g * part[x + 6] + h * part[x + 7]
                behind = i * part[x + 8] + j * part[x + 9] + k * part[x + 10] + m * part[x + 11]
                target[x] = before + around + behind


# Four rows at a time: with twelve the compiler gives up on vector registers.
@kernel
def _along_y(
    start: int, stop: int, rows: Array, margin: int, local_y: Array, table: Array, coarse: bool, out: Array
) -> None:
    steps, width, stride, flat = table.shape[0] - 1, out.shape[1], rows.shape[1], rows.reshape(-1)
    for y in range(start, stop):
        for block in range(local_y.shape[1]):
            moved = local_y[y // 8, block]
            whole = int(np.floor(moved))
            step = int((moved - whole) * steps + np.float32(0.5))
            a, b, c, d = table[step, 0], table[step, 1], table[step, 2], table[step, 3]
            e, f, g, h = table[step, 4], table[step, 5], table[step, 6], table[step, 7]
            i, j, k, m = table[step, 8], table[step, 9], table[step, 10], table[step, 11]
            left = min(block * 16, width - 16)
            first = (y + margin + whole - 5) * stride + left
            target = out[y, left : left + 16]
            part = flat[first + 4 * stride : first + 7 * stride + 16]
            for x in range(16):
                target[x] = e * part[x] + f * part[x + stride] + g * part[x + 2 * stride] + h * part[x + 3 * stride]
            if coarse:
                continue
            part = flat[first : first + 3 * stride + 16]
            for x in range(16):
                target[x] += a * part[x] + b * part[x + stride] + c * part[x + 2 * stride] + d * part[x + 3 * stride]
            part = flat[first + 8 * stride : first + 11 * stride + 16]
            for x in range(16):
                target[x] += i * part[x] + j * part[x + stride] + k * part[x + 2 * stride] + m * part[x + 3 * stride]
