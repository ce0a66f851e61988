"""The power spectrum for CTF estimation, made of spectra that are there anyway."""

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

_CUDA: Final = Cuda(__file__)
_SEAM: Final = 2
"""Samples on each side of an axis that the jump from one edge of the field to the other leaks into."""
_HANN: Final = 0.375**2
"""Mean square of the window."""
_LOBE: Final = 2.0
"""Half width of a Hann window's transform, in samples of a tile."""


def add_power(spectrum: Array, total: Array) -> None:
    """Add |spectrum|² to ``total``: complex64 and float32 of the same shape."""
    if array_module(spectrum) is not np:
        total += spectrum.real**2 + spectrum.imag**2
        return
    by_rows(_add_power, len(total), spectrum.view(np.float32), total)


def tile_power(power: Array, shape: tuple[int, int], tile: int) -> Array:
    """Mean power of Hann tiles at every place of the field: float32 (tile, tile), the centre at [tile//2, tile//2].

    Parameters
    ----------
    power
        Of whole images of ``shape``: float32 (y, x // 2 + 1).
    tile
        Even, px. Frequencies are multiples of 1/tile cycles/px.

    Notes
    -----
    The mean over all places (across the edges too, as if the image went on on the other side) of the power of a
    windowed tile is the whole image's power smoothed with that of the window: what averaging over half-overlapping
    tiles (Welch, 10.1109/TAU.1967.1161901) approaches, without their transforms. What the jump at the edges leaks to
    lies on the axes, which are left out.
    """
    xp = array_module(power)
    height, width = shape
    half = tile // 2
    smooth = _smoothed(power, np.fft.fftfreq(height), np.arange(-half, half) / tile, tile, wrapped=True)
    # Columns left of zero are those right of it, turned by half a turn.
    margin = int(np.ceil(_LOBE * width / tile)) + 1
    smooth = xp.hstack([xp.roll(smooth[::-1, margin:0:-1], 1, axis=0), smooth])
    columns = np.arange(-margin, power.shape[1]) / width
    smooth = _smoothed(xp.ascontiguousarray(smooth.T), columns, np.arange(half + 1) / tile, tile, wrapped=False).T
    whole = xp.empty((tile, tile), np.float32)
    whole[:, half:] = smooth[:, :half]
    whole[1:, :half] = smooth[1:, half:0:-1][::-1]
    whole[0, :half] = smooth[0, half:0:-1]
    return whole * np.float32(_HANN * tile**2 / (height * width))  # type: ignore[no-any-return]


def _smoothed(power: Array, frequency: Array, wanted: Array, tile: int, *, wrapped: bool) -> Array:
    """Along the first axis, the mean of ``power`` at ``frequency`` around each ``wanted`` one, as a tile sees it."""
    xp = array_module(power)
    index, weight = _weights(frequency.tobytes(), wanted.tobytes(), tile, wrapped, xp)
    result = xp.zeros((len(wanted), power.shape[1]), np.float32)
    if xp is np:
        _add_rows(power, index, weight, result)
    else:
        _CUDA("add_rows", result.shape, power, power.shape[1], index, weight, index.shape[1], result, len(wanted))
    return result  # type: ignore[no-any-return]


@lru_cache(maxsize=4)
def _weights(frequencies: bytes, places: bytes, tile: int, wrapped: bool, xp: ModuleType) -> tuple[Array, Array]:
    """Which rows are added to each, and with what weights, both (row, term); the same for a session's micrographs."""
    frequency, wanted = np.frombuffer(frequencies), np.frombuffer(places)
    step = float(frequency[1] - frequency[0])
    reach = max(int(_LOBE / tile / step), _SEAM + 1)
    nearest = np.round((wanted - frequency[0]) / step).astype(np.int64)
    around = nearest[:, None] + np.arange(-reach, reach + 1)
    index = around % len(frequency) if wrapped else np.clip(around, 0, len(frequency) - 1)
    distance = around * step + frequency[0] - wanted[:, None]
    weight = np.maximum(_hann_power(distance * tile), 1e-6) * (np.abs(frequency[index]) > (_SEAM + 0.5) * step)
    weight = (weight / weight.sum(axis=1, keepdims=True)).astype(np.float32)
    return xp.asarray(index), xp.asarray(weight)


def _hann_power(offset: Array) -> Array:
    """|transform|² of a Hann window, ``offset`` in samples of its own spectrum."""
    return (np.sinc(offset) + 0.5 * (np.sinc(offset - 1) + np.sinc(offset + 1))) ** 2  # type: ignore[no-any-return]


@kernel
def _add_power(start: int, stop: int, spectrum: Array, total: Array) -> None:
    for y in range(start, stop):
        source, target = spectrum[y], total[y]
        for x in range(target.size):
            target[x] += source[2 * x] * source[2 * x] + source[2 * x + 1] * source[2 * x + 1]


@kernel
def _add_rows(source: Array, index: Array, weight: Array, total: Array) -> None:
    """Add to each row several weighted rows of the source, which pass through the cache once."""
    for y in range(total.shape[0]):
        row = total[y]
        for n in range(index.shape[1]):
            each, share = source[index[y, n]], weight[y, n]
            for x in range(row.size):
                row[x] += share * each[x]
