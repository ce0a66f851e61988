from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from emlab.arrays.fft import rfft2
from emlab.arrays.motion.patches import automatic_grid, cut_patches
from emlab.arrays.motion.score import align

SHAPE = 200, 240


@pytest.mark.parametrize(
    ("shape", "grid"),
    [((1024, 1024), (5, 5)), ((4096, 4096), (5, 5)), ((4092, 5760), (5, 8)), ((256, 350), (2, 3)), ((60, 90), (1, 1))],
)
def test_the_grid_follows_the_field(shape: tuple[int, int], grid: tuple[int, int]) -> None:
    assert automatic_grid(shape) == grid


def test_places_are_those_of_the_patches() -> None:
    spectra = rfft2(np.random.default_rng(0).random((2, *SHAPE)).astype(np.float32))
    patches = cut_patches(spectra, SHAPE[1], np.zeros((2, 2)), (3, 4), 0.3)
    assert patches.places.shape == (12, 2)
    np.testing.assert_allclose(patches.places.mean(axis=0), 0.0, atol=0.01)
    assert patches.places[0, 0] < 0
    assert patches.places[0, 1] < patches.places[1, 1]
    assert patches.places[0, 0] == patches.places[3, 0]


@pytest.mark.parametrize("grid", [(1, 1), (3, 4)])
def test_overlapping_patches_count_what_they_see_once(grid: tuple[int, int]) -> None:
    frames = np.random.default_rng(0).normal(size=(2, *SHAPE)).astype(np.float32)
    patches = cut_patches(rfft2(frames), SHAPE[1], np.zeros((2, 2)), grid, 0.3)
    samples = patches.samples.shape[0] * patches.samples.shape[2] * patches.independence
    size = patches.band.shape
    whole = np.pi * (0.3**2 - (4 / min(size)) ** 2) * SHAPE[0] * SHAPE[1] / 2
    assert samples == pytest.approx(whole, rel=0.2)
    assert samples < whole
    # White noise of variance 1 has samples of the windows' mean square.
    assert (np.abs(patches.samples) ** 2).mean() == pytest.approx(patches.independence, rel=0.05)


def test_frames_are_moved_back_before_they_are_cut(film: Any) -> None:
    shifts = np.array([[0.0, 0.0], [6.0, -9.0]])
    frames = film(SHAPE, shifts, noise=False).astype(np.float32)
    patches = cut_patches(rfft2(frames), SHAPE[1], shifts, (2, 2), 0.2)
    for first, second in patches.samples:
        assert np.abs(np.vdot(first, second)) / np.linalg.norm(first) / np.linalg.norm(second) > 0.95


def test_the_low_rings_are_a_part_of_the_same_samples() -> None:
    spectra = rfft2(np.random.default_rng(0).random((3, *SHAPE)).astype(np.float32))
    patches = cut_patches(spectra, SHAPE[1], np.zeros((3, 2)), (2, 2), 0.3)
    low = patches.below(0.5)
    count = low.samples.shape[2]
    assert 0.1 < count / patches.samples.shape[2] < 0.4
    np.testing.assert_array_equal(low.samples, patches.samples[:, :, :count])
    assert np.hypot(*low.band.frequency).max() < 0.2
    assert low.band.rings == patches.band.rings[: len(low.band.rings)]
    align(low.samples[0], low.band, np.ones((3, 2)))


def test_the_same_on_a_card(card: Any) -> None:
    spectra = rfft2(np.random.default_rng(0).random((2, *SHAPE)).astype(np.float32))
    shifts = np.array([[0.0, 0.0], [1.5, -2.0]])
    here = cut_patches(spectra, SHAPE[1], shifts, (2, 3), 0.3)
    there = cut_patches(card.asarray(spectra), SHAPE[1], shifts, (2, 3), 0.3)
    np.testing.assert_allclose(there.samples.get(), here.samples, atol=1e-4)
    assert there.independence == pytest.approx(here.independence)
