"""Which of many points are drawn."""

from __future__ import annotations

import numpy as np

from emlab.monitors import thinned


def test_few_points_are_all_drawn() -> None:
    assert np.array_equal(thinned(7, 10), np.arange(7))


def test_of_many_the_newest_are_drawn_whole_and_the_older_ones_evenly() -> None:
    indices = thinned(1000, 100)
    assert indices.size == np.unique(indices).size == 100
    assert np.array_equal(indices[50:], np.arange(950, 1000))
    assert set(np.diff(indices[:50])) == {19}
    assert indices[0] == 0
