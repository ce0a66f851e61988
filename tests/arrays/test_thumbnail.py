from __future__ import annotations

import numpy as np
import pytest

from emlab.arrays.thumbnail import thumbnail


def test_neither_side_is_longer_than_asked_for() -> None:
    assert thumbnail(np.random.default_rng(0).random((1000, 300)), 512).shape == (500, 150)
    assert thumbnail(np.random.default_rng(0).random((3710, 3838)), 512).shape == (463, 479)
    assert thumbnail(np.random.default_rng(0).random((100, 90)), 512).shape == (100, 90)


def test_the_first_row_stays_first_and_bright_stays_bright() -> None:
    image = np.zeros((64, 128))
    image[:32, 64:] = 1
    small = thumbnail(image, 16)
    assert small.shape == (8, 16)
    assert small.dtype == np.uint8
    assert (small[:4, 8:] == 255).all()
    assert small[4:].max() == small[:, :8].max() == 0


def test_a_hot_pixel_does_not_flatten_the_rest() -> None:
    image = np.random.default_rng(1).normal(size=(256, 256))
    image[10, 10] = 1e6
    assert thumbnail(image).std() > 30


@pytest.mark.parametrize("blank", [np.full((20, 30), 7.0), np.full((20, 30), np.nan)])
def test_a_blank_image_is_grey(blank: np.ndarray) -> None:
    assert (thumbnail(blank) == 128).all()


def test_pixels_that_are_not_numbers_are_as_grey_as_the_mean() -> None:
    image = np.tile([0.0, 1.0], (10, 10))
    image[3, 4] = np.nan
    assert thumbnail(image)[3, 4] == pytest.approx(128, abs=2)


def test_a_very_thin_image_is_left_a_pixel() -> None:
    assert thumbnail(np.arange(4000.0).reshape(2000, 2), 100).shape == (100, 1)
