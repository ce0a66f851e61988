"""Class, rotation and shift of a particle are found, and by them particles add up to their class."""

from __future__ import annotations

import numpy as np
import pytest

from emlab.arrays.classes.expectation import Search, Views, expect, turned
from emlab.arrays.classes.polar import Polar
from emlab.arrays.classes.turns import from_orders
from tests.arrays.classes.conftest import blobs_turned

BOX = 48
POLAR = Polar.of_images(BOX, 18.0)
GRID = np.stack(np.meshgrid(*2 * (np.arange(-3.0, 4.0),), indexing="ij"), axis=-1).reshape(-1, 2)
TURNS = (0.0, 40.0, -100.0, 163.0)
SHIFTS = ((0.0, 0.0), (2.0, -1.0), (-1.0, 2.0), (0.5, 0.5))


def test_what_was_done_to_a_class_is_found_and_undone() -> None:
    """``turns`` bring the particle back, from x towards y; ``shifts`` say where its centre lies."""
    made = np.stack([blobs_turned(BOX, turn, shift) for turn, shift in zip(TURNS, SHIFTS, strict=True)])
    classes = np.stack([blobs_turned(BOX, 0.0, (0.0, 0.0)).T, blobs_turned(BOX, 0.0, (0.0, 0.0))])
    ones = np.ones((len(made), POLAR.rings), np.float32)
    views = Views(POLAR.samples(made), ones, ones)
    noise = np.full(POLAR.rings, 0.02, np.float32)
    shares, offsets = np.array([0.5, 0.5]), np.zeros((len(made), 2))
    averages = POLAR.samples(classes)
    for search in (Search(20, GRID, 3.0), Search(20, 0.25 * GRID, 3.0)):
        found, sums = expect(POLAR, views, averages, shares, noise, offsets, search, 18.0, 1.0)
        offsets = found.shifts
    assert found.classes.tolist() == [1, 1, 1, 1]
    assert found.certainty == pytest.approx(1.0)
    away = (found.turns + TURNS + 180.0) % 360.0 - 180.0
    assert np.abs(away).max() <= 360.0 / POLAR.angles
    assert np.abs(found.shifts - SHIFTS).max() <= 0.2
    assert sums.mass == pytest.approx([0.0, 4.0], abs=1e-3)
    image = POLAR.images(from_orders(sums.images[1] / 4.0, POLAR.angles))
    assert np.corrcoef(image.ravel(), classes[1].ravel())[0, 1] > 0.99


def test_a_class_that_has_no_share_gets_no_particle() -> None:
    made = blobs_turned(BOX, 0.0, (0.0, 0.0))[None]
    ones = np.ones((1, POLAR.rings), np.float32)
    averages = POLAR.samples(np.concatenate([made, made]))
    found, sums = expect(
        POLAR, Views(POLAR.samples(made), ones, ones), averages, np.array([0.0, 1.0]), ones[0], np.zeros((1, 2)),
        Search(10, np.zeros((1, 2)), 1.0), 18.0, 1.0,
    )  # fmt: skip
    assert found.classes.tolist() == [1]
    assert sums.mass.tolist() == [0.0, 1.0]


def test_vectors_turn_from_x_towards_y() -> None:
    assert turned(np.array([0.0, 1.0]), np.array(90.0)) == pytest.approx([1.0, 0.0])
