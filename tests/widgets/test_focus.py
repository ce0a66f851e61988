"""Which micrograph everything shows."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from emlab_widgets.panels.focus import Focus


class Taken:
    """Items that did not come in the order in which they were acquired; two at the same time."""

    time = np.array([30.0, 10.0, 20.0, 20.0, 40.0])

    def __len__(self) -> int:
        return self.time.size


def walk(focus: Focus, step: int) -> list[int | None]:
    rows = [focus.row]
    while focus.beside(step) is not None:
        focus.step(step)
        rows.append(focus.row)
    return rows


def test_previous_and_next_go_by_the_time_of_acquisition_and_miss_none() -> None:
    focus = Focus(cast("Any", Taken()))
    assert focus.beside(1) is None
    focus.choose(1)
    assert walk(focus, 1) == [1, 2, 3, 0, 4]
    assert walk(focus, -1) == [4, 0, 3, 2, 1]
    focus.step(-1)
    assert focus.row == 1
