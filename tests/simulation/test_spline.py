from __future__ import annotations

import numpy as np
import pytest

from emlab.arrays.fft import irfft2, rfft2
from emlab.simulation.spline import deposit, displaced, response, smoothing


def blobs(shape, centres, width=2.5):
    y, x = np.indices(shape)
    return sum(np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / (2 * width**2)) for cy, cx in centres).astype(np.float32)


def test_an_image_is_shown_displaced_by_its_shift():
    centres = [(30.0, 40.0), (60.0, 22.0)]
    coefficients = irfft2(rfft2(blobs((96, 96), centres)) / response((96, 96)), 96)
    shift = np.broadcast_to(np.array([1.3, -2.6], np.float32)[:, None, None], (2, 9, 9))
    seen = displaced(coefficients, np.ascontiguousarray(shift), 8, (16, 16), (64, 64))
    expected = blobs((64, 64), [(y - 16 + 1.3, x - 16 - 2.6) for y, x in centres])
    assert seen == pytest.approx(expected, abs=2e-3)


def test_a_displacement_is_interpolated_between_the_places_where_it_is_given():
    ramp = np.tile(np.arange(96, dtype=np.float32), (96, 1))
    shift = np.zeros((2, 9, 9), np.float32)
    shift[1] = np.arange(9)
    seen = displaced(ramp, shift, 8, (16, 16), (64, 64))
    assert seen[10] == pytest.approx(np.arange(64) + 16 - np.arange(64) / 8, abs=1e-3)


def test_an_atom_between_pixels_is_where_it_is_and_keeps_its_weight():
    image = np.zeros((64, 64), np.float32)
    deposit(image, np.array([20.25, 200.0]), np.array([31.6, 5.0]), np.array([2.0, 1.0], np.float32))
    assert image.sum() == pytest.approx(2.0, rel=1e-5)
    y, x = np.indices(image.shape)
    assert (image * y).sum() / 2 == pytest.approx(20.25, abs=1e-4)
    assert (image * x).sum() / 2 == pytest.approx(31.6, abs=1e-4)
    rows, columns = np.fft.fftfreq(64)[:, None], np.fft.rfftfreq(64)[None, :]
    point = rfft2(image) / smoothing(image.shape)
    exact = 2.0 * np.exp(-2j * np.pi * (rows * 20.25 + columns * 31.6))
    low = np.hypot(rows, columns) < 0.25
    assert np.abs(point - exact)[low].max() < 0.05
