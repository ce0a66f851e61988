"""Views of simulated proteins are told apart, and their averages look like the proteins."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from emlab.arrays.classes import Field, Learned, Polar, Views, contact_sheet, learn, pack, transfer_on, unpack, views
from emlab.arrays.classes.averages import agreement
from emlab.arrays.classes.expectation import Search, Sums, expect
from emlab.arrays.classes.learn import replenished
from emlab.arrays.ctf import Defocus, Lens
from tests.arrays.classes.conftest import BOX, OPTICS, PIXEL_SIZE

Array = NDArray[Any]

RADIUS = 80.0 / PIXEL_SIZE
FIELD = Field(Polar.of_images(BOX, RADIUS + 4), RADIUS, 3.0)
LENS = Lens.of_microscope(OPTICS.voltage, OPTICS.spherical_aberration, OPTICS.amplitude_contrast)
DEFOCUS = Defocus.from_axes(OPTICS.defocus_u, OPTICS.defocus_v, OPTICS.defocus_angle)


def seen(stack: Array) -> Views:
    transfers = transfer_on(FIELD.polar, PIXEL_SIZE, LENS, DEFOCUS)[None]
    return views(FIELD.polar, stack, FIELD.particle_mask, transfers, np.zeros(len(stack), int))


def purity(classes: Array, which: Array) -> float:
    """Share of the particles that are of the kind that most of their class is."""
    return sum(np.bincount(which[classes == number]).max() for number in np.unique(classes)) / len(which)  # type: ignore[no-any-return]


def likeness(averages: Array, view: Array) -> float:
    """The best correlation of a view, turned and moved in any way, with any average, within the classes' circle."""
    polar = FIELD.polar
    ones = np.ones((len(averages), polar.rings), np.float32)
    target = polar.samples(polar.images(polar.samples(view * FIELD.class_mask)))
    norms = np.sqrt((polar.areas[:, None] * np.abs(averages) ** 2).sum(axis=(1, 2)))
    unit = averages / np.maximum(norms, 1e-9)[:, None, None]
    grid = np.stack(np.meshgrid(*2 * (np.arange(-3.0, 3.5, 0.5),), indexing="ij"), axis=-1).reshape(-1, 2)
    search = Search(polar.rings, grid, 1e3)
    found, _ = expect(
        polar, Views(unit, ones, ones), target[None], np.ones(1), np.ones(polar.rings), np.zeros((len(unit), 2)),
        search, RADIUS + 4, 1.0,
    )  # fmt: skip
    size = 2.0 * (polar.areas[:, None] * np.abs(target) ** 2).sum()
    return float((found.score.max() + 0.5 * size) / np.sqrt(2.0 * size))


@pytest.fixture(scope="module")
def learned(mixture: tuple[Array, Array, Array]) -> list[tuple[Learned, Array]]:
    """After each of two batches: what was learned, and the particles' classes."""
    first, found = learn(FIELD, seen(mixture[0][:200]), None, 6, seed=1)
    second, more = learn(FIELD, seen(mixture[0][200:]), unpack(pack(first), first.noise, first.batches), 6, seed=1)
    return [(first, found.classes), (second, more.classes)]


def test_views_and_proteins_are_told_apart(
    learned: list[tuple[Learned, Array]], mixture: tuple[Array, Array, Array]
) -> None:
    (_, first), (_, second) = learned
    assert purity(first, mixture[1][:200]) > 0.97
    assert purity(second, mixture[1][200:]) > 0.97


def test_averages_look_like_the_views(
    learned: list[tuple[Learned, Array]], mixture: tuple[Array, Array, Array]
) -> None:
    averages = FIELD.averages(learned[-1][0])
    alike = [likeness(averages, view) for view in mixture[2]]
    assert min(alike) > 0.85, alike
    noise = np.random.default_rng(0).standard_normal((BOX, BOX), dtype=np.float32)
    assert likeness(averages, noise) < 0.3


def test_more_particles_resolve_more(learned: list[tuple[Learned, Array]]) -> None:
    (first, _), (second, _) = learned
    assert (
        agreement(second.halves, second.noise)[:, :20].mean()
        > agreement(first.halves, first.noise)[:, :20].mean()
        > 0.3
    )
    assert second.resolved.max() > 12
    assert second.batches == 2
    assert second.sums.mass.sum() == pytest.approx(200 * 0.5**0.5 + 100, rel=0.05)


def test_the_same_seed_gives_the_same_classes(mixture: tuple[Array, Array, Array]) -> None:
    few = seen(mixture[0][:60])
    one, other = (learn(FIELD, few, None, 3, seed=7)[0].sums.images for _ in range(2))
    assert np.array_equal(one, other)


def test_noise_alone_resolves_nothing() -> None:
    noise = np.random.default_rng(4).standard_normal((200, BOX, BOX), dtype=np.float32)
    learned, _ = learn(FIELD, seen(noise), None, 3, seed=1)
    assert learned.resolved.tolist() == [0, 0, 0]


def test_a_class_without_particles_gets_part_of_the_biggest() -> None:
    rng = np.random.default_rng(0)
    mass = np.array([50.0, 0.0, 30.0], np.float32)
    halves = [
        Sums(rng.standard_normal((3, 4, 5)).astype(np.complex64), np.ones((3, 4), np.float32), mass.copy())
        for _ in range(2)
    ]
    for half in halves:
        half.images[1] = 0.0
    before = Learned((halves[0], halves[1]), np.ones(4, np.float32), 1)
    after = replenished(before)
    assert after.sums.mass == pytest.approx([50.0, 50.0, 60.0])
    assert after.sums.mass.sum() == before.sums.mass.sum()
    assert np.allclose(after.sums.images.sum(axis=0), before.sums.images.sum(axis=0), atol=1e-5)
    assert not np.allclose(after.sums.images[0], after.sums.images[1])


def test_the_sheet_goes_row_by_row() -> None:
    averages = np.zeros((12, 4, 4), np.float32)
    averages[:, 1, 1] = 1.0
    averages[11] = np.eye(4)
    sheet = contact_sheet(averages)
    assert sheet.shape == (8, 40)
    assert sheet[4:, 4:8].diagonal().tolist() == [255] * 4
    assert not sheet[4:, 8:].any()
