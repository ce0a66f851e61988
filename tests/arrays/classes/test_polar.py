"""On rings, a rotation of the image is a move along the ring, and a shift a phase."""

from __future__ import annotations

import numpy as np
import pytest

from emlab.arrays.classes.polar import Polar
from emlab.arrays.classes.prepare import disc, shrunk
from emlab.arrays.classes.turns import from_orders, to_orders
from tests.arrays.classes.conftest import blobs_turned

POLAR = Polar.of_images(48, 18.0)


def test_an_image_comes_back_from_its_rings_without_its_mean() -> None:
    image = blobs_turned(48, 0.0, (0.0, 0.0))
    back = POLAR.images(POLAR.samples(image))
    inside = disc(48, 18.0) > 0.5
    assert np.corrcoef(back[inside], image[inside])[0, 1] > 0.999
    assert np.abs((back - back.mean()) - (image - image.mean()))[inside].max() < 0.03


def test_white_noise_of_variance_one_has_a_power_of_one() -> None:
    noise = np.random.default_rng(1).standard_normal((40, 48, 48), dtype=np.float32)
    assert (np.abs(POLAR.samples(noise)) ** 2).mean() == pytest.approx(1.0, abs=0.03)


def test_turning_an_image_from_x_towards_y_moves_it_along_its_rings() -> None:
    samples = POLAR.samples(np.stack([blobs_turned(48, angle, (0.0, 0.0)) for angle in (0.0, 36.0)]))
    steps = round(36.0 / 360.0 * POLAR.angles)
    whole = np.concatenate([samples, samples.conj()], axis=-1)
    assert np.abs(np.roll(whole[0], steps, axis=-1) - whole[1]).max() < 0.01 * np.abs(whole).max()


def test_a_shift_is_a_phase() -> None:
    still, moved = POLAR.samples(np.stack([blobs_turned(48, 0.0, shift) for shift in ((0.0, 0.0), (1.5, -2.0))]))
    assert np.abs(still * POLAR.shifts(np.array([1.5, -2.0])) - moved).max() < 0.01 * np.abs(moved).max()


def test_angular_spectra_keep_everything() -> None:
    samples = POLAR.samples(blobs_turned(48, 10.0, (1.0, 0.0)))
    assert np.allclose(from_orders(to_orders(samples, POLAR.angles // 2), POLAR.angles), samples, atol=1e-5)


@pytest.mark.parametrize("size", [96, 99])
def test_a_shrunk_image_keeps_its_centre(size: int) -> None:
    """What is at [size // 2, size // 2] is at [box // 2, box // 2], whether the size is even or odd."""
    y, x = np.meshgrid(*2 * (np.arange(size) - size // 2,), indexing="ij")
    spot = np.exp(-(y**2 + x**2) / 50.0).astype(np.float32)[None]
    small = shrunk(spot, 48)[0]
    at = np.arange(48) - 24
    assert (small.sum(axis=1) @ at) / small.sum() == pytest.approx(0.0, abs=0.01)
    assert (small.sum(axis=0) @ at) / small.sum() == pytest.approx(0.0, abs=0.01)
    assert small[24, 24] == pytest.approx(1.0, abs=0.02)
