"""Numbers, times and counts as people read them."""

from __future__ import annotations

import math
import time

import pytest

from emlab.monitors import clock, counted, duration, moment, number


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "–"),
        (math.nan, "–"),
        (0.0, "0.0 s"),
        (0.0021, "2.1 ms"),
        (0.05, "50 ms"),
        (9.94, "9.9 s"),
        (45, "45 s"),
        (200, "3 min 20 s"),
        (180, "3 min"),
        (1_000, "16 min"),
        (7_500, "2 h 05 min"),
        (3_599.7, "1 h 00 min"),
        (97_200, "1 d 3 h"),
    ],
)
def test_a_duration_has_at_most_two_units(seconds: float | None, words: str) -> None:
    assert duration(seconds) == words


def test_numbers_have_their_thousands_separated_and_a_dash_stands_for_none() -> None:
    assert number(12345.678, 1) == "12,345.7"
    assert number(None) == number(math.nan) == "–"
    assert counted(1, "movie") == "1 movie"
    assert counted(1204, "movie") == "1,204 movies"


def test_times_are_of_this_machine_s_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert moment(0) == "1970-01-01 09:00:00"
        assert clock(0) == "09:00:00"
        assert moment(None) == clock(math.nan) == "–"
    finally:
        monkeypatch.undo()
        time.tzset()
