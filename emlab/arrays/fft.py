"""Real Fourier transforms in two dimensions, on CPU (ducc0) and GPU (cuFFT), in single precision."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from emlab.arrays.module import array_module

Array = NDArray[Any]


def rfft2(image: Array, threads: int = 1, out: Array | None = None, columns: int | None = None) -> Array:
    """Half spectrum of the last two axes: (…, y, x) → (…, y, x // 2 + 1), complex64, not normalised.

    Parameters
    ----------
    out
        On a CPU only, takes the result: for large images a new array costs half as much time as the transform.
    columns
        How many of the lowest frequencies along x are wanted; the others need not be transformed along y.
    """
    xp = array_module(image)
    if xp is not np:
        return xp.fft.rfft2(image.astype(xp.float32, copy=False))[..., :columns]  # type: ignore[no-any-return]
    import ducc0

    axes = (image.ndim - 2, image.ndim - 1)
    image = image.astype(np.float32, copy=False)
    if columns is None or columns > image.shape[-1] // 2:
        return ducc0.fft.r2c(image, axes=axes, nthreads=threads, out=out)  # type: ignore[no-any-return]
    lowest = ducc0.fft.r2c(image, axes=axes[1:], nthreads=threads, out=out)[..., :columns]
    return ducc0.fft.c2c(lowest, axes=axes[:1], nthreads=threads, out=lowest)  # type: ignore[no-any-return]


def irfft2(spectrum: Array, width: int, threads: int = 1) -> Array:
    """Image of a half spectrum: (…, y, width // 2 + 1) → (…, y, width), float32, the inverse of `rfft2`."""
    xp = array_module(spectrum)
    height = spectrum.shape[-2]
    if xp is not np:
        return xp.fft.irfft2(spectrum, s=(height, width)).astype(xp.float32, copy=False)  # type: ignore[no-any-return]
    import ducc0

    axes = (spectrum.ndim - 2, spectrum.ndim - 1)
    return ducc0.fft.c2r(spectrum, axes=axes, lastsize=width, forward=False, inorm=2, nthreads=threads)  # type: ignore[no-any-return]


def fast_length(length: int) -> int:
    """The smallest even length of at least ``length`` px whose transform is fast (factors 2, 3, 5, 7)."""
    candidate = length + length % 2
    while True:
        rest = candidate
        for factor in (2, 3, 5, 7):
            while rest % factor == 0:
                rest //= factor
        if rest == 1:
            return candidate
        candidate += 2
