from __future__ import annotations

import numpy as np
import pytest

from emlab.arrays.ctf import rings_between

RINGS = rings_between(256, 2.0, 1 / 40, 1 / 5)


def test_samples_are_those_of_the_band_once_each_ring_by_ring() -> None:
    y, x = np.divmod(RINGS.index, 256)
    radius = np.hypot(y - 128, x - 128)
    assert np.unique(RINGS.index).size == RINGS.index.size
    assert np.all((radius >= 512 / 40) & (radius <= 512 / 5))
    assert np.all(x > 128)
    assert np.all(np.diff(np.rint(radius)) >= 0)
    np.testing.assert_allclose(RINGS.squares, (radius / 512) ** 2, rtol=1e-5)
    # Half of an annulus, less the lines beside the axes.
    assert RINGS.index.size == pytest.approx(np.pi / 2 * ((512 / 5) ** 2 - (512 / 40) ** 2), rel=0.06)


def test_rows_and_columns_of_a_detector_are_left_out() -> None:
    y, x = np.divmod(RINGS.index, 256)
    assert np.abs(y - 128).min() == 2
    assert (x - 128).min() == 2


def test_the_angle_runs_from_x_towards_y() -> None:
    y, x = np.divmod(RINGS.index, 256)
    expected = 2 * np.arctan2(y - 128, x - 128)
    np.testing.assert_allclose(RINGS.cosines, np.cos(expected), atol=1e-6)
    np.testing.assert_allclose(RINGS.sines, np.sin(expected), atol=1e-6)
    cells = RINGS.cells(8)
    assert np.all((cells % 8 >= 4) == (y > 128))


def test_sums_means_and_back() -> None:
    numbers = RINGS.spread(np.arange(RINGS.counts.size))
    np.testing.assert_array_equal(RINGS.means(numbers), np.arange(RINGS.counts.size))
    np.testing.assert_array_equal(RINGS.sums(np.ones(RINGS.index.size)), RINGS.counts)
    np.testing.assert_allclose(RINGS.means(np.sqrt(RINGS.squares)), RINGS.frequency, rtol=1e-5)


def test_an_inner_part() -> None:
    inner = RINGS.up_to(0.1)
    assert 0.097 < inner.frequency[-1] <= 0.1
    assert inner.counts.sum() == inner.index.size == inner.angle.size
    np.testing.assert_array_equal(inner.index, RINGS.index[: inner.index.size])
