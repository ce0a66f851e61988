from __future__ import annotations

import numpy as np
import pytest

from emlab.monitors.episode import Course, medians_so_far


@pytest.mark.parametrize(
    ("badness", "onset"),
    [
        ([0, 2, 1, 2], 1.0),  # in between is neither a new one nor an end
        ([2, 0, 1, 2, 1], 3.0),  # an earlier one is over
        ([1, 1], None),
        ([2, 0], None),
        ([], None),
    ],
)
def test_an_episode_begins_after_the_last_time_that_all_was_well(badness: list[float], onset: float | None) -> None:
    assert Course(np.arange(len(badness)), np.array(badness)).onset(raised_at=2.0, cleared_at=1.0) == onset


def test_medians_so_far() -> None:
    values = np.random.default_rng(0).random(9)
    np.testing.assert_array_equal(medians_so_far(values), [np.median(values[: n + 1]) for n in range(9)])
