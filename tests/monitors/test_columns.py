"""Columns grow without losing what is in them."""

from __future__ import annotations

import numpy as np

from emlab.monitors.columns import Columns


def test_columns_grow_and_keep_what_they_hold() -> None:
    columns = Columns(["a", "b"])
    columns.grow(1000)
    columns["a"][:] = np.arange(1000)
    columns.grow(3000)
    columns["b"][2999] = 7.0
    assert len(columns) == 3000
    assert np.array_equal(columns["a"][:1000], np.arange(1000))
    assert np.isnan(columns["a"][1000:]).all()
    columns.clear(["a"])
    assert np.isnan(columns["a"]).all()
    assert columns["b"][2999] == 7.0
