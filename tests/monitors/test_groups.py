"""Rows that belong together."""

from __future__ import annotations

import numpy as np

from emlab.monitors import grouped, means, medians


def test_rows_with_the_same_labels_are_together_in_their_order() -> None:
    rows = np.array([7, 3, 9, 1, 5])
    groups = grouped(rows, np.array([2.0, 1.0, 2.0, 1.0, 1.0]), np.array([0.0, 5.0, 0.0, 4.0, 5.0]))
    assert [group.tolist() for group in groups] == [[1], [3, 5], [7, 9]]
    assert grouped(rows[:0], np.empty(0)) == []


def test_medians_and_means_are_those_of_each_group() -> None:
    random = np.random.default_rng(3)
    values = random.normal(size=200)
    values[random.random(200) < 0.3] = np.nan
    labels = np.floor(random.random(200) * 40)
    values[labels == 4] = np.nan
    groups = grouped(np.arange(200), labels)
    expected = [
        np.median(known) if (known := values[rows][np.isfinite(values[rows])]).size else np.nan for rows in groups
    ]
    np.testing.assert_array_equal(medians(values, groups), expected)
    assert np.isnan(medians(values, groups)).sum() >= 1
    np.testing.assert_allclose(means(labels, groups), np.unique(labels))
    assert medians(values, []).size == means(values, []).size == 0
