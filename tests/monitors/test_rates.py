"""A rate counts intervals, and falls while nothing happens."""

from __future__ import annotations

import math

import numpy as np
import pytest

from emlab.monitors import per_hour


def test_a_steady_series_has_the_rate_of_its_intervals_whatever_its_length() -> None:
    for count in (2, 5, 50):
        assert per_hour(np.arange(count) * 30.0) == pytest.approx(120)


def test_order_and_gaps_in_the_data_do_not_matter() -> None:
    assert per_hour(np.array([60.0, 0.0, np.nan, 30.0])) == pytest.approx(120)


def test_the_rate_is_of_the_last_hour_and_falls_while_nothing_happens() -> None:
    slow_then_fast = np.concatenate([np.arange(10) * 600.0, 36_000 + np.arange(121) * 30.0])
    assert per_hour(slow_then_fast) == pytest.approx(120)
    assert per_hour(slow_then_fast, now=39_600 + 1_800) == pytest.approx(60)
    assert per_hour(slow_then_fast, now=90_000) == 0


def test_one_event_has_no_rate() -> None:
    assert math.isnan(per_hour(np.array([5.0])))
    assert math.isnan(per_hour(np.array([5.0, 5.0])))
