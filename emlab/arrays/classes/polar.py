"""Fourier transforms of images on rings, where to rotate an image is to move along its rings."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emlab.arrays.fft import fast_length
from emlab.arrays.module import array_module

Array = NDArray[Any]


@dataclass(frozen=True)
class Polar:
    """Rings of radius 1 to ``rings`` around zero frequency, each with samples at even angles.

    An image's centre is at [box // 2, box // 2]; angles go from the x axis towards the y axis. Only the samples of half
    a turn are kept, for the image is real. They are divided by ``box``: white noise of variance 1 has a power of 1.

    Attributes
    ----------
    box
        Of the images, px; even.
    rings
        How many; ring r is at r / box cycles per px.
    angles
        Samples of a whole turn; even.
    """

    box: int
    rings: int
    angles: int

    @classmethod
    def of_images(cls, box: int, radius: float) -> Polar:
        """Rings up to nearly Nyquist, sampled as densely as what lies within ``radius`` px of the centre wants it."""
        rings = box // 2 - 2
        return cls(box, rings, fast_length(2 * orders(rings, radius, box)))

    @property
    def directions(self) -> Array:
        """Angles of the samples, radians, (angles // 2,)."""
        return np.arange(self.angles // 2) * (2.0 * math.pi / self.angles)

    @property
    def areas(self) -> Array:
        """Fourier pixels that a sample of each ring stands for, float32 (rings,)."""
        return np.asarray(2.0 * math.pi / self.angles * np.arange(1, self.rings + 1), np.float32)

    def samples(self, images: Array) -> Array:
        """Samples of images (…, y, x): complex64 (…, rings, angles // 2)."""
        xp = array_module(images)
        cosines, sines = map(xp.asarray, _waves(self))
        flat = images.reshape(-1, self.box**2).astype(xp.float32, copy=False)
        sampled = (flat @ cosines - 1j * (flat @ sines)) / self.box
        return sampled.reshape(*images.shape[:-2], self.rings, self.angles // 2)  # type: ignore[no-any-return]

    def images(self, samples: Array) -> Array:
        """Images, float32 (…, y, x), whose samples are given as `samples` gives them; without their mean."""
        xp = array_module(samples)
        cosines, sines = map(xp.asarray, _waves(self))
        # The other half of the turn says the same once more.
        weighted = samples * (2.0 / self.box * xp.asarray(self.areas)[:, None])
        flat = weighted.reshape(-1, self.rings * (self.angles // 2))
        made = flat.real @ cosines.T - flat.imag @ sines.T
        return made.reshape(*samples.shape[:-2], self.box, self.box)  # type: ignore[no-any-return]

    def shifts(self, offsets: Array) -> Array:
        """What samples are multiplied with to move images by ``offsets``, px (…, yx): complex64, as `samples`."""
        xp = array_module(offsets)
        radii = np.arange(1, self.rings + 1)[:, None] * (2.0 * math.pi / self.box)
        y, x = xp.asarray(radii * np.sin(self.directions)), xp.asarray(radii * np.cos(self.directions))
        phase = offsets[..., 0, None, None] * y + offsets[..., 1, None, None] * x
        return xp.exp(-1j * phase).astype(xp.complex64)  # type: ignore[no-any-return]


def orders(rings: int, radius: float, box: int) -> int:
    """How many angular frequencies rings of what lies within ``radius`` px have: 0 to this, less one."""
    # A Bessel function of order n is next to nothing while its argument is below n.
    waves: float = rings * radius / box
    bend: float = 2.0 * waves ** (1 / 3)
    return 3 + math.ceil(2.0 * math.pi * waves + bend)


@lru_cache(maxsize=2)
def _waves(polar: Polar) -> tuple[Array, Array]:
    """Cosine and sine of each sample's wave at each pixel, float32 (y·x, ring·angle)."""
    at = np.arange(polar.box) - polar.box // 2
    radii = np.arange(1, polar.rings + 1)[:, None] * (2.0 * math.pi / polar.box)
    kx, ky = (radii * np.cos(polar.directions)).ravel(), (radii * np.sin(polar.directions)).ravel()
    along_x, along_y = np.exp(1j * at[:, None] * kx), np.exp(1j * at[:, None] * ky)
    waves = (along_y[:, None, :] * along_x[None, :, :]).reshape(polar.box**2, -1)
    return waves.real.astype(np.float32), waves.imag.astype(np.float32)
