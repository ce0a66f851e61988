"""Raw counts made clean: gain applied, bad pixels found and replaced."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from emlab.arrays.cuda import Cuda
from emlab.arrays.kernel import kernel
from emlab.arrays.module import array_module, to_host
from emlab.arrays.threads import by_rows
from emlab.errors import DataError

Array = NDArray[Any]

_CUDA: Final = Cuda(__file__)
_DONORS: Final = 8
_FURTHEST: Final = 64
_OUTLIER: Final = 4.6
"""Standard deviations; of 16 million good pixels about 70 are replaced needlessly."""


@dataclass(frozen=True)
class Repair:
    """Which pixels are replaced, and what with.

    Attributes
    ----------
    bad
        Indices into the flat image: int64 (pixel,).
    donors
        Good pixels nearby, of which a frame takes one at random: int64 (pixel, donor).
    """

    bad: Array
    donors: Array


def find_bad_pixels(counts: Array, known: Array) -> Array:
    """Pixels whose sum over all frames is not what their neighbours let expect, and those known: bool (y, x).

    Parameters
    ----------
    counts
        Sum of all frames after the gain: float32 (y, x).
    known
        Pixels that are bad already: bool (y, x).

    Notes
    -----
    2·√(n + 3/8) of a count has variance 1 (Anscombe, 10.1093/biomet/35.3-4.246). Its spread over the
    image tells how far the file's numbers are from counts. A pixel is compared with the median of 5 × 5.
    """
    xp = array_module(counts)
    if xp is np:
        root = np.empty_like(counts)
        by_rows(_anscombe, len(counts), counts, root)
    else:
        root = 2 * xp.sqrt(xp.maximum(counts, 0) + xp.float32(0.375))
    bad = known.copy()
    # Differences over a few px feel neither illumination nor what neighbours share of an electron.
    steps = (root[::32, 4:] - root[::32, :-4]).ravel()
    spread = 1.4826 * float(xp.median(xp.abs(steps - xp.median(steps)))) / np.sqrt(2.0)
    limit = _OUTLIER * max(spread, 1e-6)
    if xp is np:
        by_rows(_mark_outliers, len(root), root, limit, known, bad)
    else:
        _CUDA("mark_outliers", bad.shape, root, *bad.shape, float(limit), known, bad)
    return bad


def plan_repair(bad: Array) -> Repair:
    """What to replace bad pixels with.

    Parameters
    ----------
    bad
        Bool (y, x).

    Raises
    ------
    DataError
        If a pixel has no good one within 64 px.
    """
    xp = array_module(bad)
    indices = xp.flatnonzero(bad)
    donors = xp.full((indices.size, _DONORS), -1, np.int64)
    if xp is np:
        _find_donors(bad, indices, _FURTHEST, donors)
    elif indices.size:
        _CUDA("find_donors", indices.shape, bad, *bad.shape, indices, indices.size, _FURTHEST, donors, _DONORS)
    alone = to_host(donors[:, 0] < 0)
    if alone.any():
        y, x = divmod(int(indices[int(np.argmax(alone))]), bad.shape[1])
        raise DataError(
            f"{indices.size} of {bad.size} pixels are bad, and pixel x {x}, y {y} has no good one within {_FURTHEST} "
            "px; check that gain and defects belong to this camera."
        )
    return Repair(indices, donors)


def clean(raw: Array, gain: Array | None, repair: Repair, seed: int, out: Array) -> Array:
    """A frame after the gain, its bad pixels replaced: ``out``, float32 (y, x).

    Parameters
    ----------
    raw
        Counts (y, x).
    gain
        What to multiply them with: float32 (y, x).
    seed
        Which donors are taken: the frame's number, so that the frames do not share a pattern.

    Notes
    -----
    The value of a single pixel nearby has the noise that a mean of several would lack.
    """
    xp = array_module(raw)
    if xp is not np:
        xp.multiply(raw, xp.float32(1.0) if gain is None else gain, out=out)
        number = repair.bad.size
        if number:
            _CUDA("replace", (number,), repair.bad, number, repair.donors, _DONORS, seed, out)
        return out
    if gain is None:
        out[...] = raw
    else:
        by_rows(_multiply, len(raw), raw, gain, out)
    flat = out.reshape(-1)
    flat[repair.bad] = flat[repair.donors[np.arange(repair.bad.size), _drawn(repair.bad, seed)]]
    return out


def _drawn(pixels: Array, seed: int) -> Array:
    """Which donor each pixel takes, as good as at random: by a hash that a card computes alike.

    It is C. Wellons' lowbias32, which mixes all bits.
    """
    hashed: Array = pixels.astype(np.uint32) + np.uint32(seed * 0x9E3779B9 & 0xFFFFFFFF)
    hashed = (hashed ^ hashed >> 16) * np.uint32(0x7FEB352D)
    hashed = (hashed ^ hashed >> 15) * np.uint32(0x846CA68B)
    return (hashed ^ hashed >> 16) % _DONORS  # type: ignore[no-any-return]


@kernel
def _anscombe(start: int, stop: int, counts: Array, root: Array) -> None:
    for y in range(start, stop):
        source, target = counts[y], root[y]
        for x in range(source.size):
            target[x] = np.float32(2) * np.sqrt(max(source[x], np.float32(0)) + np.float32(0.375))


@kernel
def _multiply(start: int, stop: int, raw: Array, gain: Array, out: Array) -> None:
    for y in range(start, stop):
        source, factor, target = raw[y], gain[y], out[y]
        for x in range(source.size):
            target[x] = np.float32(source[x]) * factor[x]


@kernel
def _mark_outliers(start: int, stop: int, root: Array, limit: float, known: Array, bad: Array) -> None:
    height, width = root.shape
    around = np.empty(24, np.float32)
    rough = np.empty(width, np.float32)
    for y in range(start, stop):
        top, bottom = max(y - 2, 0), min(y + 3, height)
        row, upper, lower = root[y], root[top if y >= 2 else 2], root[bottom - 1 if y + 2 < height else height - 3]
        # Four others rule out most pixels, which need no median.
        for x in range(2, width - 2):
            mean = np.float32(0.25) * (upper[x - 2] + upper[x + 2] + lower[x - 2] + lower[x + 2])
            rough[x] = abs(row[x] - mean)
        rough[:2] = limit
        rough[width - 2 :] = limit
        for x in range(width):
            if rough[x] < np.float32(0.6) * limit or known[y, x]:
                continue
            count = 0
            for v in range(top, bottom):
                for u in range(max(x - 2, 0), min(x + 3, width)):
                    if not known[v, u] and (v != y or u != x):
                        around[count] = root[v, u]
                        count += 1
            bad[y, x] = count > 0 and abs(row[x] - np.median(around[:count])) > limit


@kernel
def _find_donors(bad: Array, indices: Array, furthest: int, donors: Array) -> None:
    height, width = bad.shape
    for item in range(indices.size):
        y, x = indices[item] // width, indices[item] % width
        count = 0
        for radius in range(1, furthest + 1):
            for v in range(max(y - radius, 0), min(y + radius + 1, height)):
                inner = abs(v - y) != radius
                for u in range(x - radius, x + radius + 1, 2 * radius if inner else 1):
                    if 0 <= u < width and not bad[v, u] and count < donors.shape[1]:
                        donors[item, count] = v * width + u
                        count += 1
            if count == donors.shape[1]:
                break
        for spare in range(count, donors.shape[1]):
            if count > 0:
                donors[item, spare] = donors[item, spare % count]
