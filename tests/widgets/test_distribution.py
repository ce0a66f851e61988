"""Histograms of a measure."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from emlab_widgets.figures.distribution import Distribution
from emlab_widgets.measures import MOTION

from emlab.monitors import Items


def test_bars_count_the_micrographs_and_tell_of_those_beyond(invented: Any) -> None:
    invented.add(range(70))
    items = Items(invented.open())
    items.update()
    distribution = Distribution(MOTION)
    distribution.update(items)
    bars = distribution.widget.children[1].marks[0]
    heading = distribution.widget.children[0]
    assert bars.y.sum() == 70
    assert bars.y[bars.y > 0].tolist() == [10] * 7
    assert np.diff(bars.x) == pytest.approx(bars.x[1] - bars.x[0])
    assert "80 % from 5.0 to 11.0 Å" in heading.value
    distribution = Distribution(MOTION)
    bars, heading = distribution.widget.children[1].marks[0], distribution.widget.children[0]
    items["total_motion"][:3] = 900.0
    distribution.update(items)
    assert bars.y.sum() == 67
    assert "3 off the scale" in heading.value
