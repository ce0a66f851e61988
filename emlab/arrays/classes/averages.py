"""Class averages from sums of particles."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from emlab.arrays.classes.expectation import Sums
from emlab.arrays.classes.polar import Polar
from emlab.arrays.classes.turns import from_orders

Array = NDArray[Any]

INNERMOST = 3
"""Rings that have too few samples to tell agreement from chance."""
TRUST = 2.0
"""How much more signal is believed in than the sums show: classes that are still mixed show too little."""
AGREEMENT = 0.5
"""Correlation of the averages of two halves of a class's particles down to which it counts as resolved."""


def averages_of(polar: Polar, sums: Sums, noise: Array, mask: Array) -> Array:
    """Class averages, samples on rings, complex64 (class, ring, angle): Wiener-filtered and masked.

    Parameters
    ----------
    noise
        Power of the particles' noise on each ring.
    mask
        Where the classes have their content, (y, x).

    Notes
    -----
    Scheres 2012 (10.1016/j.jmb.2011.11.010), but the power of the signal on a ring is what the sums have there beyond
    what the noise alone would give.
    """
    transfer = np.maximum(sums.transfer, 1e-6)
    # Of all classes together: with a prior of its own a small class would be smoothed until it lost every particle.
    signal = (_ring_power(sums.images) / transfer - noise).sum(axis=0) / transfer.sum(axis=0)
    least = 0.01 * noise / transfer.sum(axis=0)
    images = sums.images / (transfer + noise / np.maximum(TRUST * signal, least))[..., None]
    images[sums.mass <= 0.0] = 0.0
    pictures = polar.images(from_orders(images, polar.angles))
    rim = (mask > 0.0) & (mask < 1.0)
    # Without their mean, images do not say what level the ice is at: it is that of the mask's rim.
    pictures -= pictures[:, rim].mean(axis=1)[:, None, None]
    return polar.samples(pictures * mask)


def noise_of(views_power: Array, sums: Sums, averages: Array, polar: Polar) -> Array:
    """Power of what the averages do not explain of the particles, on each ring.

    Parameters
    ----------
    views_power
        Sum over the particles of their power on each ring.
    averages
        Samples on rings, which the particles were compared with.
    """
    seen = from_orders(sums.images, polar.angles)
    cross = (seen.conj() * averages).real.mean(axis=-1).sum(axis=0)
    explained = (sums.transfer * (np.abs(averages) ** 2).mean(axis=-1)).sum(axis=0)
    left = (views_power - 2.0 * cross + explained) / sums.mass.sum()
    # Never less than a part of what is there: an average explains its own noise, too.
    return np.maximum(left, 0.2 * views_power / sums.mass.sum())  # type: ignore[no-any-return]


def agreement(halves: tuple[Sums, Sums], noise: Array) -> Array:
    """Correlation on each ring of the averages of two halves of the particles, −1 to 1: (class, ring).

    It is not believed beyond what the power of the sums over that of the ``noise`` lets expect: what has no features is
    averaged in all rotations, and rings that are reduced to their means may agree by chance.
    """
    first, second = halves[0].images, halves[1].images
    weights = np.full(first.shape[-1], 2.0)
    weights[0] = 1.0
    cross = (weights * (first * second.conj()).real).sum(axis=-1)
    correlation = cross / np.sqrt(np.maximum(_ring_power(first) * _ring_power(second), 1e-20))
    whole = halves[0] + halves[1]
    signal = np.maximum(_ring_power(whole.images) / np.maximum(whole.transfer, 1e-6) / noise - 1.0, 0.0) / 2.0
    return np.minimum(correlation, signal / (1.0 + signal))  # type: ignore[no-any-return]


def resolved(correlation: Array) -> Array:
    """The last ring, 1 for the innermost, up to which halves agree; 0 for none: int (class,).

    Rings further in than where they agree best do not count: there the CTF lets little through.
    """
    classes, rings = correlation.shape
    padded = np.pad(correlation, ((0, 0), (1, 1)), mode="edge")
    smooth = (padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]) / 3.0
    inner = min(INNERMOST, rings - 1)
    peak = inner + smooth[:, inner : max(rings // 2, inner + 1)].argmax(axis=1)
    below = (smooth < AGREEMENT) & (np.arange(rings) >= peak[:, None])
    last: Array = np.where(below.any(axis=1), below.argmax(axis=1), rings)
    return np.where(smooth[np.arange(classes), peak] < AGREEMENT, 0, last)


def _ring_power(spectra: Array) -> Array:
    """Mean over the angles of the power whose angular spectra these are."""
    power: Array = np.abs(spectra) ** 2
    total: Array = power[..., 0] + 2.0 * power[..., 1:].sum(axis=-1)
    return total
