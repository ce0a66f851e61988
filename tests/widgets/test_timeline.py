"""Points over acquisition time: where they are, which are outliers, and which row a click means."""

from __future__ import annotations

from typing import Any

import bqplot
import numpy as np
import pytest
from emlab_widgets import theme
from emlab_widgets.figures import Timeline
from emlab_widgets.measures import DEFOCUS, MOTION

from emlab.monitors import Items


def items_of(invented: Any) -> Items:
    items = Items(invented.open())
    items.update()
    return items


def scatters(timeline: Timeline) -> tuple[bqplot.Scatter, bqplot.Scatter, bqplot.Scatter]:
    """The points, the outliers and the ring."""
    return tuple(timeline.widget.children[1].marks)


def click(mark: bqplot.Scatter, index: int) -> None:
    """What the browser sends for a click at a point."""
    mark._handle_custom_msgs(None, {"event": "element_click", "data": {"index": index}}, None)


def test_values_are_in_the_unit_shown_at_their_acquisition_times(invented: Any) -> None:
    invented.add(range(3))
    timeline = Timeline(DEFOCUS)
    timeline.update(items_of(invented))
    points, outliers, _ = scatters(timeline)
    assert points.y == pytest.approx([1.00, 1.01, 1.02])
    assert np.diff(points.x).astype("timedelta64[s]").astype(int).tolist() == [30, 30]
    assert outliers.x.size == 0


def test_an_outlier_is_drawn_at_the_edge_with_its_value_as_name(invented: Any) -> None:
    invented.add(range(40))
    items = items_of(invented)
    items["total_motion"][7] = 12_345.0
    chosen = []
    timeline = Timeline(MOTION, chosen.append)
    timeline.update(items)
    points, outliers, _ = scatters(timeline)
    assert list(outliers.names) == ["12,345.0"]
    assert outliers.y[0] < 20
    assert points.y.size == 39
    click(outliers, 0)
    click(points, 7)
    assert chosen == [7, 8]


def test_micrographs_without_the_measure_are_left_out_and_clicks_still_mean_their_rows(invented: Any) -> None:
    invented.add(range(10), until="align")
    for number in (2, 5, 9):
        invented.record("ctf", number)
    chosen = []
    timeline = Timeline(DEFOCUS, chosen.append)
    timeline.update(items_of(invented), chosen=5)
    points, _, ring = scatters(timeline)
    assert points.y == pytest.approx([1.02, 1.05, 1.09])
    assert ring.y == pytest.approx([1.05])
    click(points, 1)
    assert chosen == [5]


def test_many_points_are_thinned_into_the_same_widgets(invented: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(theme, "POINTS", 10)
    invented.add(range(30))
    timeline = Timeline(DEFOCUS)
    before = scatters(timeline)
    timeline.update(items_of(invented))
    assert scatters(timeline) == before
    assert before[0].y.size == 10
    assert before[0].y[-1] == pytest.approx(1.29)


def test_what_will_appear_stands_there_until_it_does(invented: Any) -> None:
    timeline = Timeline(DEFOCUS)
    empty = timeline.widget.children[2]
    timeline.update(items_of(invented))
    assert empty.layout.display is None
    assert "when the first CTF has been estimated" in empty.value
    invented.add(range(1))
    timeline.update(items_of(invented))
    assert empty.layout.display == "none"
