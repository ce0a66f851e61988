"""Where things are, and how large, after an image was made smaller in Fourier space."""

from __future__ import annotations

import numpy as np
import pytest

from emlab.arrays.crop import fourier_crop


def test_a_wave_that_fits_stays_the_same_wave_and_one_that_does_not_vanishes() -> None:
    y, x = np.mgrid[:48, :60]
    slow = np.cos(2 * np.pi * (3 * y / 48 + 5 * x / 60 + 0.1))
    fast = np.cos(2 * np.pi * 25 * x / 60)
    small = fourier_crop((7.0 + slow + fast).astype(np.float32), (24, 40))
    y, x = np.mgrid[:24, :40]
    np.testing.assert_allclose(small, 7.0 + np.cos(2 * np.pi * (3 * y / 24 + 5 * x / 40 + 0.1)), atol=1e-5)


@pytest.mark.parametrize("size", [32, 24, 16])
def test_the_middle_pixel_stays_the_middle_pixel(size: int) -> None:
    y, x = np.mgrid[:48, :48] - 24
    spots = np.stack([np.exp(-(y**2 + x**2) / 60.0), np.exp(-((y - 6) ** 2 + (x + 3) ** 2) / 60.0)]).astype(np.float32)
    small = fourier_crop(spots, (size, size))
    assert small.dtype == np.float32
    assert np.unravel_index(small[0].argmax(), small[0].shape) == (size // 2, size // 2)
    rows, columns = (np.arange(size) - size // 2 for _ in range(2))
    weight = np.maximum(small[1], 0.0)
    assert (weight * rows[:, None]).sum() / weight.sum() == pytest.approx(6 * size / 48, abs=0.05)
    assert (weight * columns).sum() / weight.sum() == pytest.approx(-3 * size / 48, abs=0.05)


def test_the_whole_is_the_image_itself() -> None:
    image = np.arange(12.0).reshape(3, 4)
    np.testing.assert_array_equal(fourier_crop(image, (3, 4)), image.astype(np.float32))
