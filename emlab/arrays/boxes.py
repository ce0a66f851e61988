"""Particles cut out of a micrograph, made small and normalised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from emlab.arrays.crop import fourier_crop
from emlab.arrays.fft import fast_length

Array = NDArray[Any]

_AT_ONCE: Final = 64
"""Particles that are in memory as large as they are cut out."""
_DUST: Final = 5.0
"""Standard deviations."""


@dataclass(frozen=True)
class Box:
    """How large a particle's image is.

    Attributes
    ----------
    cut
        px of the micrograph, even.
    size
        px of the image, even, and quick to transform.
    """

    cut: int
    size: int

    @classmethod
    def of(cls, width: float, pixel_size: float, binning: float = 1.0) -> Box:
        """The box of at least ``width`` Å; ``binning`` becomes what even boxes allow, exactly that if it is whole."""
        size = fast_length(int(np.ceil(round(width / (pixel_size * binning), 6))))
        return cls(cut=2 * round(size * binning / 2.0), size=size)

    @property
    def binning(self) -> float:
        """Px of the micrograph per px of the image."""
        return self.cut / self.size


def fitting(places: Array, shape: tuple[int, ...], cut: int) -> Array:
    """Which boxes lie wholly on the micrograph: bool (particle,).

    Parameters
    ----------
    places
        Whole px, int (particle, 2): x (column), y (row).
    shape
        Of the micrograph, (y, x) px.
    cut
        Length of a box, px, even; the place is its pixel ``cut // 2``.
    """
    first = places - cut // 2
    return np.all((first >= 0) & (first + cut <= np.array(shape[::-1])), axis=1)  # type: ignore[no-any-return]


def cut_out(image: Array, places: Array, box: Box, radius: float, dust_seed: int | None = None) -> Array:
    """The images of particles, their backgrounds level: float32 (particle, y, x), square.

    Parameters
    ----------
    image
        Axes (y, x).
    places
        Whole px, int (particle, 2): x (column), y (row), each box wholly on the micrograph.
    radius
        px of the micrograph around a place; what is farther out is background.
    dust_seed
        Of the noise that replaces dust; ``None`` leaves dust where it is.

    Notes
    -----
    Where the box is made smaller it is cropped in Fourier space, after it was made level: a slope would ring at the
    edges. The place is at [size // 2, size // 2].
    """
    stack = np.empty((len(places), box.size, box.size), np.float32)
    rng = np.random.default_rng(dust_seed)
    for start in range(0, len(places), _AT_ONCE):
        corners = places[start : start + _AT_ONCE] - box.cut // 2
        whole = np.stack([image[y : y + box.cut, x : x + box.cut] for x, y in corners]).astype(np.float32, copy=False)
        if dust_seed is not None:
            remove_dust(whole, rng)
        level(whole, radius)
        stack[start : start + _AT_ONCE] = fourier_crop(whole, (box.size, box.size))
    return stack


def remove_dust(stack: Array, rng: np.random.Generator) -> int:
    """Replace pixels that lie far from their image's mean by noise, in place, and say how many there were.

    Parameters
    ----------
    stack
        Float32 (particle, y, x).
    rng
        Makes the noise.

    Notes
    -----
    Far is beyond 5 standard deviations of the image, as in RELION's extraction; the noise is that of the other pixels.
    """
    replaced = 0
    for image in stack:
        mean, spread = float(image.mean()), float(image.std())
        dust = np.abs(image - mean) > _DUST * spread
        if count := int(np.count_nonzero(dust)):
            rest = image[~dust]
            image[dust] = rng.normal(rest.mean(), rest.std(), count)
            replaced += count
    return replaced


def level(stack: Array, radius: float) -> None:
    """Take from each image the plane that fits its background best (least squares), in place.

    Parameters
    ----------
    stack
        Float32 (particle, y, x), square.
    radius
        px around [size // 2, size // 2]; what is farther out is background.
    """
    size = stack.shape[-1]
    axis = np.arange(size, dtype=np.float64) - size // 2
    outside = _background(size, radius)
    plane = np.stack([np.ones((size, size)), *np.broadcast_arrays(axis[:, None], axis[None, :])], axis=-1)
    fit = np.linalg.solve(plane[outside].T @ plane[outside], plane[outside].T).astype(np.float32)
    plane = plane.astype(np.float32)
    for image in stack:
        # Of a blank image rounding must not be left.
        image -= image.flat[0] if image.min() == image.max() else plane @ (fit @ image[outside])


def normalise(stack: Array, radius: float) -> Array:
    """Give each image's background a mean of 0 and a standard deviation of 1, in place.

    Parameters
    ----------
    stack
        Float32 (particle, y, x), square.
    radius
        px around [size // 2, size // 2]; what is farther out is background.

    Returns
    -------
    usable
        Bool (particle,): whether there was anything to normalise; a blank image has no standard deviation.
    """
    outside = _background(stack.shape[-1], radius)
    usable = np.zeros(len(stack), bool)
    for number, image in enumerate(stack):
        background = image[outside].astype(np.float64)
        spread = float(background.std())
        usable[number] = np.isfinite(spread) and spread > 0.0
        if usable[number]:
            image -= np.float32(background.mean())
            image /= np.float32(spread)
    return usable


def _background(size: int, radius: float) -> Array:
    axis = np.arange(size) - size // 2
    return axis[:, None] ** 2 + axis[None, :] ** 2 > radius**2
