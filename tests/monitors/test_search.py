"""A query in a few words: comparisons and pieces of text, all of which have to hold."""

from __future__ import annotations

import numpy as np
import pytest

from emlab.errors import ParameterError
from emlab.monitors import matching

COLUMNS = {"resolution": np.array([3.0, 5.0, np.nan]), "motion": np.array([10.0, 20.0, 30.0])}
TEXTS = (("Hole_1", "Hole_2", "Hole_3"), ("accepted", "rejected", ""))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [0, 1, 2]),
        ("resolution<4", [0]),
        ("resolution >= 5", [1]),
        ("motion>5 rejected", [1]),
        ("hole_ motion<=20", [0, 1]),
        ("motion=30", [2]),
        ("nothing", []),
    ],
)
def test_every_word_has_to_hold(query: str, found: list[int]) -> None:
    assert np.flatnonzero(matching(query, COLUMNS, TEXTS, 3)).tolist() == found


@pytest.mark.parametrize(
    ("query", "words"), [("defocus<1", "there are: resolution, motion"), ("motion<", "write one like resolution<4")]
)
def test_what_is_no_comparison_is_explained(query: str, words: str) -> None:
    with pytest.raises(ParameterError, match=words):
        matching(query, COLUMNS, TEXTS, 3)
