"""How likely each class, rotation and shift is for each particle, and what the particles add up to by it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emlab.arrays.classes.polar import Polar, orders
from emlab.arrays.classes.turns import from_orders, sum_over_orders, sum_over_turns, to_orders
from emlab.arrays.fft import fast_length
from emlab.arrays.module import array_module

Array = NDArray[Any]

BLOCK = 24
"""Particles that are looked at together: their scores stay in the processor's cache's reach."""


@dataclass(frozen=True)
class Views:
    """Particles as they are compared with classes.

    Attributes
    ----------
    samples
        On rings, times the CTF: complex64 (particle, ring, angle).
    transfer
        Mean of the CTF's square on each ring: float32 (particle, ring).
    power
        Mean power of the particles, before the CTF was multiplied, on each ring: float32 (particle, ring).
    """

    samples: Array
    transfer: Array
    power: Array

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, chosen: Any) -> Views:
        return Views(self.samples[chosen], self.transfer[chosen], self.power[chosen])


@dataclass(frozen=True)
class Search:
    """What is tried.

    Attributes
    ----------
    rings
        How many take part, from the innermost.
    shifts
        px, float (shift, yx): where the particle may lie besides, in the class's frame.
    spread
        Standard deviation of the shifts that are likely beforehand, px.
    """

    rings: int
    shifts: Array
    spread: float


@dataclass(frozen=True)
class Found:
    """What is most likely for each particle.

    Attributes
    ----------
    classes
        The class, int (particle,).
    turns
        Degrees, from the x axis towards the y axis, that bring the particle to its class.
    shifts
        px, (particle, yx): where its centre lies, from that of its image.
    certainty
        Probability of the class, 0 to 1.
    score
        Log-likelihood over that of an empty image.
    """

    classes: Array
    turns: Array
    shifts: Array
    certainty: Array
    score: Array


@dataclass(frozen=True)
class Sums:
    """What particles add up to, each with the probability of having been seen so.

    Attributes
    ----------
    images
        Σ of particles times CTF, aligned: angular spectra, complex64 (class, ring, order).
    transfer
        Σ of CTF²: float32 (class, ring).
    mass
        Σ of probabilities: float32 (class,).
    """

    images: Array
    transfer: Array
    mass: Array

    def __add__(self, other: Sums) -> Sums:
        return Sums(self.images + other.images, self.transfer + other.transfer, self.mass + other.mass)

    def scaled(self, by: float) -> Sums:
        """Each of them times ``by``."""
        return Sums(self.images * np.float32(by), self.transfer * np.float32(by), self.mass * np.float32(by))


def expect(
    polar: Polar,
    views: Views,
    averages: Array,
    shares: Array,
    noise: Array,
    offsets: Array,
    search: Search,
    radius: float,
    coverage: float,
) -> tuple[Found, Sums]:
    """Compare particles with class averages in every rotation and every shift of a search.

    Parameters
    ----------
    averages
        Samples on rings of the classes, complex64 (class, ring, angle).
    shares
        How likely each class is beforehand; 0 for one that is not to be used.
    noise
        Power of the noise on each ring, (ring,).
    offsets
        px (particle, yx): where the search is centred.
    radius
        px within which the classes have their content.
    coverage
        Share of the image that is not masked: so many of the Fourier samples tell anything of their own.

    Notes
    -----
    The posterior of Scheres 2012 (10.1016/j.jmb.2011.11.010), in Fourier space on rings: the correlations in all
    rotations are one transform along the rings, and for all particles, classes and shifts together matrix products.
    CTF² of an astigmatic lens is averaged along the rings where the power of a class is compared.
    """
    xp = array_module(views.samples)
    rings = search.rings
    count = min(orders(rings, radius, polar.box), polar.angles // 2)
    turns = fast_length(2 * count)
    classes, shifts = len(averages), len(search.shifts)
    scale = polar.angles * coverage * polar.areas[:rings] / noise[:rings]
    moved = averages[:, None, :rings] * polar.shifts(search.shifts)[None, :, :rings]
    references = xp.asarray(to_orders(moved, count).transpose(3, 2, 0, 1) * scale[:, None, None])
    references = references.reshape(count, rings, classes * shifts).astype(np.complex64)
    power = (np.abs(averages[:, :rings]) ** 2).mean(axis=-1) * scale
    with np.errstate(divide="ignore"):
        prior = np.log(shares)[:, None] - ((search.shifts**2).sum(axis=-1) / (2.0 * search.spread**2))[None, :]
    bias = prior[None] - 0.5 * (views.transfer[:, :rings] @ power.T)[:, :, None]
    bias = bias.reshape(len(views), classes * shifts).astype(np.float32)

    sums = np.zeros((count, polar.rings, classes * shifts), np.complex64)
    masses = np.zeros((len(views), classes), np.float32)
    best = np.zeros((len(views), 4), np.float64)
    for start in range(0, len(views), BLOCK):
        block = slice(start, start + BLOCK)
        centred = views.samples[block] * polar.shifts(-offsets[block])
        spectrum = np.ascontiguousarray(to_orders(centred, count).transpose(2, 0, 1))
        scores = sum_over_orders(spectrum[..., :rings].conj() @ references, turns)
        tops = scores.max(axis=0) + bias[block]
        every, place, highest = np.arange(scores.shape[1]), tops.argmax(axis=1), tops.max(axis=1)
        turn = scores[:, every, place].argmax(axis=0)
        scores += bias[block] - highest[:, None]
        np.exp(scores, out=scores)
        by_class = scores.sum(axis=0).reshape(-1, classes, shifts).sum(axis=2)
        total = by_class.sum(axis=1, keepdims=True)
        by_class /= total
        masses[block] = by_class
        sums += (spectrum / total).transpose(0, 2, 1) @ sum_over_turns(scores, count)
        best[block] = np.column_stack([turn, place, by_class[every, place // shifts], highest])

    turn, place = best[:, 0] * (360.0 / turns), best[:, 1].astype(int)
    chosen, shift = place // shifts, search.shifts[place % shifts]
    return (
        Found(chosen, (turn + 180.0) % 360.0 - 180.0, offsets + turned(shift, -turn), best[:, 2], best[:, 3]),
        Sums(
            _unshifted(polar, sums.reshape(count, polar.rings, classes, shifts), search.shifts),
            masses.T @ views.transfer,
            masses.sum(axis=0),
        ),
    )


def turned(vectors: Array, angles: Array) -> Array:
    """Vectors (…, yx) turned by ``angles``, degrees from the x axis towards the y axis."""
    sines, cosines = np.sin(np.radians(angles)), np.cos(np.radians(angles))
    y, x = vectors[..., 0], vectors[..., 1]
    return np.stack([sines * x + cosines * y, cosines * x - sines * y], axis=-1)


def _unshifted(polar: Polar, sums: Array, shifts: Array) -> Array:
    """Angular spectra of what was summed by the shift of the class, (order, ring, class, shift), all centred."""
    samples = from_orders(sums.transpose(2, 3, 1, 0), polar.angles)
    centred = (samples * polar.shifts(-shifts)).sum(axis=1)
    return to_orders(centred, polar.angles // 2)
