"""The Fourier samples that tell how a specimen moved: those within a band of spatial frequencies."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from emlab.arrays.fft import fast_length, rfft2
from emlab.arrays.module import array_module
from emlab.arrays.threads import threads

Array = NDArray[Any]

_FINEST: Final = 5.0
"""Å; beyond it single frames hold next to nothing."""
_WIDEST: Final = 0.4
"""Cycles/px, the same for coarse pixels."""
_ENOUGH: Final = 400_000
"""Samples; a larger field is aligned as well with a narrower band, and faster."""
_LOWEST: Final = 4.0
"""Cycles across the field; what is coarser is illumination and leakage."""
_RINGS: Final = 24


def band_limit(shape: tuple[int, int], pixel_size: float) -> float:
    """The highest spatial frequency that alignment uses, cycles/px.

    Parameters
    ----------
    shape
        Of the frames, (y, x).
    pixel_size
        Å.
    """
    plenty = np.sqrt(2.0 * _ENOUGH / (np.pi * shape[0] * shape[1]))
    return float(min(pixel_size / _FINEST, _WIDEST, plenty))


def cropped_shape(shape: tuple[int, int], limit: float) -> tuple[int, int]:
    """Shape of the frames when they are sampled just finely enough for frequencies up to ``limit`` cycles/px."""
    height, width = (min(fast_length(int(np.ceil(2.1 * limit * size))), size - size % 2) for size in shape)
    return height, width


def low_spectrum(image: Array, cropped: tuple[int, int], scratch: Array | None, out: Array) -> Array:
    """The half spectrum of an image, of low frequencies only as `crop` gives them: ``out``.

    Parameters
    ----------
    image
        Float32 (y, x).
    cropped
        Shape of the image that is left.
    scratch
        Complex64 (y, x // 2 + 1); a CPU needs it where something is to be cropped.
    out
        Complex64 (cropped y, cropped x // 2 + 1).
    """
    height, width = image.shape
    if cropped != (height, width):
        return crop(rfft2(image, threads(), scratch, cropped[1] // 2 + 1), (height, width), cropped, out)
    if array_module(image) is np:
        return rfft2(image, threads(), out)
    out[...] = rfft2(image)
    return out


def crop(spectrum: Array, shape: tuple[int, int], cropped: tuple[int, int], out: Array) -> Array:
    """The low frequencies of a half spectrum, for images of ``cropped`` shape with the same values: ``out``.

    Parameters
    ----------
    spectrum
        Complex64 (y, x // 2 + 1) of an image of ``shape``.
    out
        Complex64 (cropped y, cropped x // 2 + 1).
    """
    positive, negative, columns = (cropped[0] + 1) // 2, cropped[0] // 2, cropped[1] // 2 + 1
    scale = np.float32(cropped[0] * cropped[1] / (shape[0] * shape[1]))
    multiply = array_module(spectrum).multiply
    multiply(spectrum[:positive, :columns], scale, out=out[:positive])
    multiply(spectrum[-negative:, :columns], scale, out=out[positive:])
    return out


@dataclass(frozen=True)
class Band:
    """Which samples of a half spectrum are used, sorted by ring.

    Attributes
    ----------
    shape
        Of the images, (y, x).
    row, column
        Of each sample in the half spectrum: int64 (sample,).
    frequency
        Along y and along x, cycles/px: float32 (2, sample).
    edges
        Where each ring begins, and the end of the last: int64 (ring + 1,).
    """

    shape: tuple[int, int]
    row: Array
    column: Array
    frequency: Array
    edges: Array

    @property
    def rings(self) -> list[slice]:
        """The samples of each ring."""
        return [slice(int(start), int(stop)) for start, stop in pairwise(self.edges)]


def make_band(shape: tuple[int, int], limit: float) -> Band:
    """The band of images of ``shape``, up to ``limit`` cycles/px, in rings of about 4 samples' width."""
    along_y, along_x = np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None]
    radius = np.hypot(along_y, along_x)
    lowest = _LOWEST / min(shape)
    # Each sample stands for itself and its conjugate; of the column x = 0 half are there twice.
    used = (radius > lowest) & (radius < limit) & ((along_x > 0) | (along_y > 0))
    count = max(2, min(_RINGS, int((limit - lowest) * min(shape) / 4.0)))
    ring = ((radius - lowest) / (limit - lowest) * count).astype(np.int64)
    row, column = np.nonzero(used)
    order = np.argsort(ring[row, column], kind="stable")
    row, column = row[order], column[order]
    frequency = np.stack([along_y[row, 0], along_x[0, column]]).astype(np.float32)
    edges = np.searchsorted(ring[row, column], np.arange(count + 1))
    return Band(shape, row, column, frequency, edges)
