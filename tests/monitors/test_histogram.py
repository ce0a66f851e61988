"""One outlier ruins neither an axis nor a histogram."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emlab.monitors import histogram, robust_range

BULK = np.random.default_rng(1).normal(3.5, 0.3, 500)


def test_an_outlier_does_not_stretch_the_axis() -> None:
    low, high = robust_range(np.append(BULK, 400.0))
    assert low < BULK.min()
    assert BULK.max() < high < 6


def test_of_few_values_all_are_shown() -> None:
    low, high = robust_range(np.array([3.2, 3.3, 3.3, 3.4, 400.0]))
    assert low < 3.2
    assert high > 400


def test_an_outlier_is_counted_as_beyond_the_histogram() -> None:
    plain, binned = histogram(BULK), histogram(np.append(BULK, [400.0, -50.0]))
    assert plain.beyond == 0
    assert plain.counts.sum() == BULK.size
    assert binned.beyond == 2
    assert np.array_equal(binned.counts, plain.counts)
    assert np.array_equal(binned.edges, plain.edges)


def test_edges_are_round_and_bins_are_not_empty_at_the_ends() -> None:
    binned = histogram(BULK)
    width = binned.edges[1] - binned.edges[0]
    assert width == pytest.approx(0.1)
    assert binned.edges / width == pytest.approx(np.round(binned.edges / width))
    assert binned.counts[0] > 0
    assert binned.counts[-1] > 0
    assert binned.centres == pytest.approx(binned.edges[:-1] + width / 2)


def test_an_axis_of_positive_values_does_not_reach_below_zero() -> None:
    assert robust_range(np.array([0.0, 10.0, 20.0]))[0] == 0.0
    assert robust_range(np.array([-1.0, 10.0, 20.0]))[0] < -1.0


@pytest.mark.parametrize("values", [[], [np.nan, np.inf]])
def test_without_values_there_is_still_an_axis(values: list[float]) -> None:
    assert robust_range(np.array(values)) == (0.0, 1.05)
    assert histogram(np.array(values)).counts.sum() == 0


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50))
def test_every_value_is_in_a_bin_or_beyond(values: list[float]) -> None:
    binned = histogram(np.array(values))
    assert binned.counts.sum() + binned.beyond == len(values)
    low, high = robust_range(np.array(values))
    assert low < high
