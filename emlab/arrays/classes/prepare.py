"""Particles made ready to be compared: small, masked, on rings, with their CTF."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from emlab.arrays.classes.expectation import Views
from emlab.arrays.classes.polar import Polar
from emlab.arrays.ctf import Defocus, Lens
from emlab.arrays.ctf.model import transfer
from emlab.arrays.fft import irfft2, rfft2

Array = NDArray[Any]

EDGE = 3.0
"""px over which masks fall off."""


def shrunk(stack: Array, box: int) -> Array:
    """Low frequencies of images (n, y, x) as smaller ones: float32 (n, box, box), centred on [box // 2, box // 2].

    ``box`` is even and at most the images' size.
    """
    size = stack.shape[-1]
    if size == box:
        return stack.astype(np.float32, copy=False)
    spectrum = rfft2(np.fft.ifftshift(stack.astype(np.float32, copy=False), axes=(1, 2)))
    half = box // 2
    kept = np.concatenate([spectrum[:, :half, : half + 1], spectrum[:, -half:, : half + 1]], axis=1)
    # What is at Nyquist of the small image has no sign there.
    kept[:, half], kept[:, :, half] = 0.0, 0.0
    return np.fft.fftshift(irfft2(kept, box), axes=(1, 2)) * np.float32((box / size) ** 2)


def disc(box: int, radius: float) -> Array:
    """A mask that is 1 within ``radius`` px and falls to 0: float32 (y, x)."""
    at = np.arange(box) - box // 2
    away = np.clip((np.hypot(at[:, None], at) - radius) / EDGE, 0.0, 1.0)
    return (0.5 + 0.5 * np.cos(np.pi * away)).astype(np.float32)


def transfer_on(polar: Polar, pixel_size: float, lens: Lens, defocus: Defocus, *, flipped: bool = False) -> Array:
    """The CTF on rings, float32 (ring, angle), positive at low frequency as protein is white.

    Parameters
    ----------
    pixel_size
        Å, of the images on the rings.
    flipped
        Whether the images' phases were flipped.
    """
    frequencies = np.arange(1, polar.rings + 1)[:, None] / (polar.box * pixel_size)
    twice = 2.0 * polar.directions
    values = -transfer(lens, frequencies**2, np.cos(twice), np.sin(twice), defocus)
    return (np.abs(values) if flipped else values).astype(np.float32)


def views(polar: Polar, stack: Array, mask: Array, transfers: Array, which: Array) -> Views:
    """Particles as they are compared with classes.

    Parameters
    ----------
    stack
        Images, float32 (particle, y, x), of the rings' size.
    mask
        What of them is looked at, (y, x).
    transfers
        CTFs on rings, float32 (n, ring, angle).
    which
        Number of each particle's CTF.
    """
    samples = polar.samples(stack * mask)
    power = (np.abs(samples) ** 2).mean(axis=-1)
    samples *= transfers[which]
    return Views(samples, (transfers**2).mean(axis=-1)[which], power)
