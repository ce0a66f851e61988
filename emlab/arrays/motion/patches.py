"""The field cut into overlapping patches, and the samples of each within a band."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from emlab.arrays.fft import fast_length, irfft2, rfft2
from emlab.arrays.module import array_module
from emlab.arrays.motion.band import Band, make_band
from emlab.arrays.motion.move import moved
from emlab.arrays.threads import each

Array = NDArray[Any]

_OVERLAP: Final = 0.2
_SINGLE_OVERLAP: Final = 0.06
_SMALLEST: Final = 100
"""px"""
_AT_ONCE: Final = 2**28
"""Bytes that a GPU works on together; a CPU takes one patch, or one frame, which stays in its cache."""


@dataclass(frozen=True)
class Patches:
    """Samples of all patches in all frames.

    Attributes
    ----------
    samples
        Complex64 (patch, frame, sample).
    band
        What they are samples of.
    places
        Centre of each patch, −1 to 1 across the field: float64 (patch, yx).
    independence
        Independent samples per sample: windows waste and overlaps share.
    shifts
        What the frames were moved back by before they were cut: float64 (frame, yx), px of the cut images.
    """

    samples: Array
    band: Band
    places: Array
    independence: float
    shifts: Array

    def parts(self) -> Iterator[slice]:
        """Patches to be worked on together."""
        size = 1
        if array_module(self.samples) is not np:
            size = max(1, _AT_ONCE // (self.samples.nbytes // len(self.samples)))
        return (slice(start, start + size) for start in range(0, len(self.samples), size))

    def below(self, part: float) -> Patches:
        """The same patches with the lowest ``part`` of the rings only."""
        band = self.band
        edges = band.edges[: max(2, round(part * (len(band.edges) - 1))) + 1]
        stop = int(edges[-1])
        frequency = np.ascontiguousarray(band.frequency[:, :stop])
        narrow = Band(band.shape, band.row[:stop], band.column[:stop], frequency, edges)
        return replace(self, samples=self.samples[:, :, :stop], band=narrow)


def automatic_grid(shape: tuple[int, int]) -> tuple[int, int]:
    """How many patches along y and x: 5 for a small field, about 750 px each for a large one, fewer for a tiny one."""
    rows, columns = (min(int(np.clip(round(size / 750), 5, 8)), max(1, size // _SMALLEST)) for size in shape)
    return rows, columns


def cut_patches(spectra: Array, width: int, shifts: Array, grid: tuple[int, int], limit: float) -> Patches:
    """Patches of frames that were moved back by ``shifts`` first, so that the same specimen is in each.

    Parameters
    ----------
    spectra
        Half spectra, complex64 (frame, y, width // 2 + 1).
    width
        Of the images, px.
    shifts
        Displacement of the specimen: float64 (frame, yx), px of these images.
    grid
        Patches along y and along x.
    limit
        Of the band, cycles/px of these images.
    """
    xp = array_module(spectra)
    frames, height, _ = spectra.shape
    (size_y, tops, window_y), (size_x, lefts, window_x) = _laid((height, grid[0])), _laid((width, grid[1]))
    window = xp.asarray(window_y[:, None] * window_x)
    band = make_band((size_y, size_x), limit)
    row, column = xp.asarray(band.row), xp.asarray(band.column)
    samples = xp.empty((len(tops) * len(lefts), frames, len(band.row)), xp.complex64)
    scale = np.float32(1.0 / np.sqrt(size_y * size_x))
    shifts = np.asarray(shifts, dtype=np.float64)

    def cut(part: slice) -> None:
        images = irfft2(moved(spectra[part], width, xp.asarray(shifts[part])), width)
        tiles = _parts(images, tops, lefts, (size_y, size_x))
        tiles -= tiles.mean(axis=(2, 3), keepdims=True)
        tiles *= window
        samples[:, part] = (rfft2(tiles)[:, :, row, column] * scale).swapaxes(0, 1)

    at_once = 1 if xp is np else max(1, _AT_ONCE // (4 * len(samples) * size_y * size_x))
    for _ in each(cut, (slice(start, start + at_once) for start in range(0, frames, at_once))):
        pass
    centre_y, centre_x = (2.0 * (tops + size_y / 2) / height - 1.0, 2.0 * (lefts + size_x / 2) / width - 1.0)
    places = np.stack(np.meshgrid(centre_y, centre_x, indexing="ij"), axis=-1).reshape(-1, 2)
    return Patches(samples, band, places, float((window**2).mean()), shifts)


def _parts(images: Array, tops: Array, lefts: Array, size: tuple[int, int]) -> Array:
    """Copies of the parts of ``size`` that begin at ``tops`` and ``lefts``: (image, part, y, x)."""
    xp = array_module(images)
    if xp is np:
        windows = np.lib.stride_tricks.sliding_window_view(images, size, axis=(1, 2))
        parts = windows[np.ix_(np.arange(len(images)), tops, lefts)]
    else:
        rows, columns = (xp.asarray(np.add.outer(*axis)) for axis in ((tops, range(size[0])), (lefts, range(size[1]))))
        parts = images[:, rows[:, None, :, None], columns[None, :, None, :]]
    return parts.reshape(len(images), -1, *size)  # type: ignore[no-any-return]


def _laid(axis: tuple[int, int]) -> tuple[int, Array, Array]:
    """Length of the patches along an axis, where each begins, and the window: lapped squares of windows sum to 1."""
    length, count = axis
    if count == 1:
        size, overlap = length, round(_SINGLE_OVERLAP * length)
    else:
        size = min(fast_length(int(length / (count * (1 - _OVERLAP) + _OVERLAP))), length)
        overlap = max(1, round(size - (length - size) / (count - 1)))
    rise = np.sin(0.5 * np.pi * (np.arange(overlap) + 0.5) / overlap)
    window = np.ones(size)
    window[:overlap] *= rise
    window[size - overlap :] *= rise[::-1]
    starts = np.round(np.linspace(0, length - size, count)).astype(np.int64)
    return size, starts, window.astype(np.float32)
