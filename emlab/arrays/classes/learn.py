"""Class averages that learn from one batch of particles after the other."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emlab.arrays.classes.averages import agreement, averages_of, noise_of, resolved
from emlab.arrays.classes.expectation import Found, Search, Sums, Views, expect
from emlab.arrays.classes.polar import Polar
from emlab.arrays.classes.prepare import disc
from emlab.arrays.classes.turns import from_orders, to_orders

Array = NDArray[Any]

ROUNDS = 14
"""How often the first batch is gone through with a search everywhere within reach."""
FINE_ROUNDS = 6
"""How often it is gone through then with a search around what was found."""
COARSEST = 6
"""Rings of the first round."""
BROAD = 16
"""Rings of the last search everywhere within reach: finer ones find no other place."""
MEMBERS = 20
"""Particles that a class must have had for there to be more classes."""
FADING = 0.5
"""The n-th batch weighs as n to this power: what was learned early was aligned to poor averages."""
LONGEST = 0.98
"""What a batch leaves at most of the weight of those before it, so that averages follow a specimen that changes."""


@dataclass(frozen=True)
class Learned:
    """What all batches so far have taught.

    Attributes
    ----------
    halves
        Sums of the particles at even and at odd places of their batches.
    noise
        Power of the noise on each ring.
    batches
        How many there were.
    """

    halves: tuple[Sums, Sums]
    noise: Array
    batches: int

    @property
    def sums(self) -> Sums:
        """Of both halves."""
        return self.halves[0] + self.halves[1]

    @property
    def shares(self) -> Array:
        """Share of the particles in each class, (class,)."""
        mass = self.sums.mass
        return mass / mass.sum()  # type: ignore[no-any-return]

    @property
    def resolved(self) -> Array:
        """The last ring up to which each class's halves agree, int (class,); 0 for none."""
        return np.where(self.sums.mass > 0.0, resolved(agreement(self.halves, self.noise)), 0)


@dataclass(frozen=True)
class Field:
    """Where classes have their content, and where particles may lie.

    Attributes
    ----------
    polar
        Rings of the images.
    radius
        Of the classes, px.
    reach
        How far a particle's centre may lie from that of its image, px.
    """

    polar: Polar
    radius: float
    reach: float

    @property
    def class_mask(self) -> Array:
        """What of an average is kept, (y, x)."""
        return disc(self.polar.box, self.radius)

    @property
    def particle_mask(self) -> Array:
        """What of a particle is looked at, (y, x)."""
        return disc(self.polar.box, min(self.radius + self.reach, self.polar.box / 2 - 4.0))

    @property
    def coverage(self) -> float:
        """Share of the image that is looked at."""
        return float((self.particle_mask**2).mean())

    def averages(self, learned: Learned) -> Array:
        """Samples on rings of the class averages."""
        return averages_of(self.polar, learned.sums, learned.noise, self.class_mask)

    def broad(self, rings: int) -> Search:
        """Everywhere within reach."""
        step = max(1.0, self.polar.box / (4.0 * rings))
        return Search(rings, _within(self.reach, step), self.reach / 2.0)

    def fine(self, rings: int | None = None) -> Search:
        """Close to where a particle was found; on all rings by default."""
        return Search(rings or self.polar.rings, _within(1.5, 0.75), 1.0)


def learn(field: Field, views: Views, learned: Learned | None, classes: int, seed: int) -> tuple[Learned, Found]:
    """Classify a batch of particles, and learn from it.

    Parameters
    ----------
    views
        The particles.
    learned
        From the batches before; ``None`` for the first one.
    classes
        How many at most.
    seed
        Of what is random in the first batch.

    Returns
    -------
    learned
        From this batch too.
    found
        Each particle's class, rotation and shift.

    Notes
    -----
    Expectation maximisation from batch to batch (Cappé & Moulines 2009, 10.1111/j.1467-9868.2009.00698.x; for class
    averages, Kimanius 2021, 10.1042/BCJ20210708): each adds its sums to the fading ones of those before it. The first
    batch starts from averages of random particles in random rotations.
    """
    offsets = np.zeros((len(views), 2))
    if learned is None:
        learned = _begin(field, views, classes, np.random.default_rng(seed))
        broadest = min(BROAD, field.polar.rings)
        for rings in np.linspace(min(COARSEST, broadest), broadest, ROUNDS).round().astype(int):
            halves, noise, found = _pass(field, views, learned, offsets, field.broad(rings))
            learned = replenished(Learned(_centred(field, halves, noise), noise, 1))
        for rings in np.linspace(broadest, field.polar.rings, FINE_ROUNDS).round().astype(int):
            halves, noise, found = _pass(field, views, learned, found.shifts, field.fine(rings))
            learned = Learned(halves, noise, 1)
        return learned, found
    before = replenished(learned)
    kept = min((before.batches / (before.batches + 1)) ** FADING, LONGEST)
    _, _, found = _pass(field, views, before, offsets, field.broad(min(BROAD, field.polar.rings)))
    halves, noise, found = _pass(field, views, before, found.shifts, field.fine())
    old = before.sums.mass.sum() * kept
    new = halves[0].mass.sum() + halves[1].mass.sum()
    mixed = (before.noise * old + noise * new) / (old + new)
    first, second = (was.scaled(kept) + now for was, now in zip(before.halves, halves, strict=True))
    return Learned((first, second), mixed, before.batches + 1), found


def replenished(learned: Learned) -> Learned:
    """With classes that have lost their particles given a part of those that have most.

    The biggest class is split into two that differ by chance alone; the next particles drive them apart or empty one.
    """
    first, second = (Sums(half.images.copy(), half.transfer.copy(), half.mass.copy()) for half in learned.halves)
    mass = first.mass + second.mass
    most = min(len(mass), max(1, int(mass.sum() / MEMBERS)))
    for _ in range(len(mass)):
        poorest, richest = int(mass.argmin()), int(mass.argmax())
        if mass[poorest] > 0.2 * mass.sum() / most or (mass > 0).sum() - (mass[poorest] > 0) >= most:
            break
        for half, part in ((first, 0.7), (second, 0.3)):
            for sums in (half.images, half.transfer, half.mass):
                sums[poorest] = part * sums[richest]
                sums[richest] = (1.0 - part) * sums[richest]
        mass = first.mass + second.mass
    return Learned((first, second), learned.noise, learned.batches)


def _begin(field: Field, views: Views, classes: int, rng: np.random.Generator) -> Learned:
    """Averages of random particles in random rotations."""
    polar = field.polar
    count = min(classes, max(1, len(views) // MEMBERS))
    halves = []
    for chosen in (views[0::2], views[1::2]):
        images = np.zeros((classes, polar.rings, polar.angles // 2), np.complex64)
        transfer, mass = np.zeros((classes, polar.rings), np.float32), np.zeros(classes, np.float32)
        turns = rng.uniform(0.0, 2.0 * np.pi, (len(chosen), 1, 1))
        spectra = to_orders(chosen.samples, polar.angles // 2)
        spectra *= np.exp(-1j * turns * np.arange(polar.angles // 2)).astype(np.complex64)
        which = rng.permutation(len(chosen)) % count
        np.add.at(images, which, spectra)
        np.add.at(transfer, which, chosen.transfer)
        np.add.at(mass, which, 1.0)
        halves.append(Sums(images, transfer, mass))
    return Learned((halves[0], halves[1]), views.power.mean(axis=0), 0)


def _pass(
    field: Field, views: Views, learned: Learned, offsets: Array, search: Search
) -> tuple[tuple[Sums, Sums], Array, Found]:
    """Go once through the particles; gives the sums of both halves, the noise and what was found."""
    averages = field.averages(learned)
    reach = field.radius + field.reach
    (first, one), (second, two) = (
        expect(
            field.polar, views[half], averages, learned.shares, learned.noise, offsets[half], search, reach,
            field.coverage,
        )
        for half in (slice(0, None, 2), slice(1, None, 2))
    )  # fmt: skip
    noise = noise_of(views.power.sum(axis=0), one + two, averages, field.polar)
    return (one, two), noise, _in_turn(first, second)


def _in_turn(first: Found, second: Found) -> Found:
    """What was found of the particles at even and at odd places, in the order of the particles."""
    whole = {}
    for each in fields(Found):
        even, odd = getattr(first, each.name), getattr(second, each.name)
        whole[each.name] = np.empty((len(even) + len(odd), *even.shape[1:]), even.dtype)
        whole[each.name][0::2], whole[each.name][1::2] = even, odd
    return Found(**whole)


def _centred(field: Field, halves: tuple[Sums, Sums], noise: Array) -> tuple[Sums, Sums]:
    """With each class moved so that the centre of its bright part is that of the image."""
    polar = field.polar
    averages = averages_of(polar, halves[0] + halves[1], noise, field.class_mask)
    images = polar.images(averages)
    bright = np.maximum(images - 0.2 * images.max(axis=(1, 2), keepdims=True), 0.0)
    at = np.arange(polar.box) - polar.box // 2
    total = np.maximum(bright.sum(axis=(1, 2)), 1e-20)
    centres = np.stack([bright.sum(axis=2) @ at, bright.sum(axis=1) @ at], axis=-1) / total[:, None]
    shifts = polar.shifts(-np.clip(centres, -1.0, 1.0))
    first, second = (replace(half, images=_moved(polar, half.images, shifts)) for half in halves)
    return first, second


def _moved(polar: Polar, spectra: Array, shifts: Array) -> Array:
    return to_orders(from_orders(spectra, polar.angles) * shifts, spectra.shape[-1])


def _within(radius: float, step: float) -> Array:
    """Places (n, yx) of a square grid through the origin that lie within ``radius``."""
    count = int(radius / step + 1e-6)
    along = np.arange(-count, count + 1) * step
    places = np.stack(np.meshgrid(along, along, indexing="ij"), axis=-1).reshape(-1, 2)
    return places[np.hypot(*places.T) <= radius + 1e-6]  # type: ignore[no-any-return]
