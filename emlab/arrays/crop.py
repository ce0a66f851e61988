"""Images made smaller in Fourier space."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from emlab.arrays.fft import irfft2, rfft2
from emlab.arrays.module import array_module

Array = NDArray[Any]


def fourier_crop(images: Array, shape: tuple[int, int]) -> Array:
    """Images of fewer pixels, with what is finer than they can show left out: float32 (…, y, x) of ``shape``.

    Parameters
    ----------
    images
        Axes (…, y, x).
    shape
        (y, x) px, each even and at most the image's.

    Notes
    -----
    What was at a pixel p of an axis of n px is at p·m/n afterwards: the first pixel keeps its place, and so does the
    middle one, n // 2, of an even length. Means are kept.
    """
    height, width = images.shape[-2:]
    rows, columns = shape
    if (rows, columns) == (height, width):
        return images.astype(array_module(images).float32, copy=False)
    return irfft2(cropped_spectrum(rfft2(images), width, shape), columns)


def cropped_spectrum(spectrum: Array, width: int, shape: tuple[int, int]) -> Array:
    """The half spectrum of `fourier_crop`'s result: complex64 (…, y, x // 2 + 1), Nyquist's row and column zero.

    Parameters
    ----------
    spectrum
        Of the whole image, as `rfft2` gives it.
    width
        Of the whole image, px.
    shape
        (y, x) px of the smaller image, each even.
    """
    xp = array_module(spectrum)
    height, half = spectrum.shape[-2], shape[0] // 2
    cropped = xp.zeros((*spectrum.shape[:-2], shape[0], shape[1] // 2 + 1), xp.complex64)
    inside = shape[1] // 2
    cropped[..., :half, :inside] = spectrum[..., :half, :inside]
    cropped[..., half + 1 :, :inside] = spectrum[..., height - half + 1 :, :inside]
    cropped *= xp.float32(shape[0] * shape[1] / (height * width))
    return cropped  # type: ignore[no-any-return]
