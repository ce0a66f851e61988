"""Particles' images: centred where the place says, normalised by their background, and nothing else changed."""

from __future__ import annotations

import numpy as np
import pytest

from emlab.arrays.boxes import Box, cut_out, fitting, level, normalise, remove_dust


@pytest.mark.parametrize(
    ("width", "pixel_size", "binning", "cut", "size"),
    [(180.0, 1.5, 1.0, 120, 120), (180.0, 1.5, 2.0, 120, 60), (181.0, 1.5, 1.0, 126, 126), (200.0, 1.0, 3.3, 212, 64)],
)
def test_boxes_are_even_quick_and_binned_as_is_asked_for(
    width: float, pixel_size: float, binning: float, cut: int, size: int
) -> None:
    box = Box.of(width, pixel_size, binning)
    assert (box.cut, box.size) == (cut, size)
    assert box.cut * pixel_size >= width
    assert box.binning == pytest.approx(binning, rel=0.01)


@pytest.mark.parametrize("binning", [1, 2])
def test_the_place_becomes_the_middle_pixel_and_x_is_the_column(binning: int) -> None:
    image = np.zeros((200, 300), np.float32)
    y, x = np.mgrid[:200, :300]
    image += np.exp(-((y - 70) ** 2 + (x - 211) ** 2) / 18.0)
    image += 0.5 * np.exp(-((y - 70) ** 2 + (x - 223) ** 2) / 18.0)
    box = Box(cut=64, size=64 // binning)
    (cut,) = cut_out(image, np.array([[211, 70]]), box, 24.0)
    middle = box.size // 2
    assert np.unravel_index(cut.argmax(), cut.shape) == (middle, middle)
    assert cut[middle, middle + 12 // binning] > 0.45
    assert cut[middle + 12 // binning, middle] < 0.05


def test_without_binning_pixels_are_copied_and_made_level() -> None:
    image = np.random.default_rng(0).normal(size=(40, 50)).astype(np.float32)
    (cut,) = cut_out(image, np.array([[20, 15]]), Box(16, 16), 6.0)
    difference = cut - image[7:23, 12:28]
    np.testing.assert_allclose(np.diff(difference, 2, axis=0), 0.0, atol=1e-5)
    np.testing.assert_allclose(np.diff(difference, 2, axis=1), 0.0, atol=1e-5)


def test_a_slope_does_not_ring_in_the_binned_image() -> None:
    y, x = np.mgrid[:100, :100]
    (cut,) = cut_out((5.0 * x - 3.0 * y).astype(np.float32), np.array([[50, 50]]), Box(64, 16), 20.0)
    np.testing.assert_allclose(cut, 0.0, atol=1e-3)


def test_a_box_fits_to_the_last_pixel() -> None:
    places = np.array([[8, 8], [7, 8], [42, 32], [43, 32], [42, 33]])
    assert fitting(places, (40, 50), 16).tolist() == [True, False, True, False, False]


def test_backgrounds_have_no_level_no_slope_and_a_deviation_of_one() -> None:
    rng = np.random.default_rng(3)
    y, x = np.mgrid[:64, :64] - 32
    particle = 5.0 * (np.hypot(y, x) < 15)
    slope = 40.0 + 0.3 * y - 0.2 * x
    stack = (rng.normal(0.0, 2.5, (3, 64, 64)) + particle + slope).astype(np.float32)
    clean = stack - slope.astype(np.float32)
    level(stack, 20.0)
    assert normalise(stack, 20.0).all()
    outside = np.hypot(y, x) > 20
    for image, true in zip(stack, clean, strict=True):
        assert image[outside].mean() == pytest.approx(0.0, abs=1e-5)
        assert image[outside].std() == pytest.approx(1.0, abs=1e-5)
        assert np.polyfit(x[outside], image[outside], 1)[0] == pytest.approx(0.0, abs=1e-5)
        assert image[np.hypot(y, x) < 15].mean() == pytest.approx(2.0, abs=0.1)
        assert np.corrcoef(image.ravel(), true.ravel())[0, 1] > 0.999


def test_blank_images_are_told() -> None:
    stack = np.random.default_rng(3).normal(size=(3, 32, 32)).astype(np.float32)
    stack[1] = 4.1
    level(stack, 10.0)
    assert normalise(stack, 10.0).tolist() == [True, False, True]


def test_dust_becomes_noise_that_is_the_same_each_time() -> None:
    rng = np.random.default_rng(5)
    stack = rng.normal(10.0, 2.0, (2, 64, 64)).astype(np.float32)
    dirty = stack.copy()
    dirty[0, 3, 4], dirty[0, 50, 60], dirty[1, 9, 9] = 300.0, -200.0, 90.0
    again = dirty.copy()
    assert remove_dust(dirty, np.random.default_rng(7)) == 3
    changed = np.argwhere(dirty != stack)
    assert changed.tolist() == [[0, 3, 4], [0, 50, 60], [1, 9, 9]]
    assert np.abs(dirty - 10.0).max() < 12.0
    remove_dust(again, np.random.default_rng(7))
    np.testing.assert_array_equal(again, dirty)
