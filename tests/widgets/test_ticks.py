"""Ticks are few, round, and inside the axis."""

from __future__ import annotations

import numpy as np
import pytest
from emlab_widgets.figures.ticks import MOST, number_ticks, time_ticks
from hypothesis import given
from hypothesis import strategies as st


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_ticks_of_numbers_are_few_and_inside(low: float, extent: float) -> None:
    ticks, _ = number_ticks(low, low + extent)
    assert 1 <= ticks.size <= MOST + 1
    slack = 1e-6 * max(abs(low), extent)
    assert low - slack <= ticks[0]
    assert ticks[-1] <= low + extent + slack


@pytest.mark.parametrize(
    ("low", "high", "written"),
    [
        (0.63, 1.85, "0.75 1.00 1.25 1.50 1.75"),
        (3.12, 3.38, "3.2 3.3"),
        (3.14, 3.36, "3.15 3.20 3.25 3.30 3.35"),
        (0, 21, "0 5 10 15 20"),
        (0, 4.9, "0 1 2 3 4"),
        (990, 1_030, "990 1,000 1,010 1,020 1,030"),
    ],
)
def test_ticks_of_numbers_are_round_and_written_with_the_decimals_that_they_need(
    low: float, high: float, written: str
) -> None:
    ticks, form = number_ticks(low, high)
    assert " ".join(f"{tick:{form}}" for tick in ticks) == written


@pytest.mark.parametrize(
    ("extent", "step", "form"),
    [
        (20, 5, "%H:%M:%S"),
        (600, 120, "%H:%M"),
        (3_000, 600, "%H:%M"),
        (86_400, 21_600, "%H:%M"),
        (864_000, 172_800, "%b %d"),
    ],
)
def test_ticks_of_times_are_full_minutes_hours_or_days(extent: float, step: float, form: str) -> None:
    ticks, found = time_ticks(1_699_999_203.0, 1_699_999_203.0 + extent)
    seconds = ticks.astype("int64") / 1e3
    assert found == form
    assert 1 <= seconds.size <= MOST + 1
    assert set(np.diff(seconds)) <= {step}
    assert (seconds % min(step, 86_400) == 0).all()
