"""A measure of each micrograph over the time when it was taken."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import bqplot
import numpy as np
from numpy.typing import NDArray

from emlab.monitors import Items, number, robust_range, thinned
from emlab_widgets import theme
from emlab_widgets.figures.plot import Plot, axis
from emlab_widgets.figures.ticks import number_ticks, time_ticks
from emlab_widgets.measures import Measure


class Timeline:
    """Points over acquisition time, with axes that one outlier cannot ruin.

    Outliers are triangles at the edge of the plot. With more than `theme.POINTS` micrographs the older ones are
    thinned evenly.

    Parameters
    ----------
    measure
        What is plotted.
    on_click
        Called with the item's row when its point is clicked.

    Attributes
    ----------
    widget
        To be displayed.
    """

    def __init__(self, measure: Measure, on_click: Callable[[int], None] | None = None) -> None:
        self._measure = measure
        self._on_click = on_click
        self._rows: dict[bqplot.Mark, NDArray[np.intp]] = {}
        self._x, self._y = bqplot.DateScale(), bqplot.LinearScale(min=0, max=1)
        self._time = axis(self._x, "Acquired")
        self._value = axis(self._y, measure.label, side="left")
        self._points = self._marks(
            opacities=[0.75],
            tooltip=bqplot.Tooltip(fields=["y"], formats=[measure.form], labels=[measure.label]),
        )
        self._outliers = self._marks(
            marker="triangle-up",
            names=[],
            display_names=False,
            tooltip=bqplot.Tooltip(fields=["name"], labels=[measure.label]),
        )
        self._chosen = self._marks(fill=False, stroke=theme.INK, stroke_width=2.5, default_size=150)
        marks = [self._points, self._outliers, self._chosen]
        self._plot = Plot(f"{measure.title} over time", measure.empty, marks, [self._time, self._value])
        self.widget: Any = self._plot.widget

    def update(self, items: Items, chosen: int | None = None) -> None:
        """Draw what there is now, with a ring around the ``chosen`` row."""
        values, times = self._measure.values(items), _local(items.time)
        known = np.flatnonzero(np.isfinite(values))
        self._plot.reveal(filled=bool(known.size))
        if not known.size:
            return
        low, high = robust_range(values[known])
        self._span(times[known], low, high)
        self._time.label = "Acquired" if np.isfinite(items["acquired_at"][known]).all() else "Recorded"
        rows = known[thinned(known.size, theme.POINTS)]
        far = (values[rows] < low) | (values[rows] > high)
        values_shown = np.clip(values, low, high).astype(np.float32)
        times_shown = (times * 1e3).astype("datetime64[ms]")
        self._rows = {self._points: rows[~far], self._outliers: rows[far], self._chosen: known[known == chosen]}
        for mark, shown in self._rows.items():
            with mark.hold_sync():
                mark.x, mark.y = times_shown[shown], values_shown[shown]
                if mark is self._outliers:
                    mark.names = [number(value, self._measure.digits) for value in values[shown]]
        note = f"median {number(float(np.median(values[known])), self._measure.digits)} {self._measure.unit}"
        self._plot.annotate(f"{note} · {far.sum():,} off the scale (▲)" if far.any() else note)

    def _marks(self, **traits: Any) -> bqplot.Scatter:
        style = {"colors": [self._measure.colour], "default_size": 22, **traits}
        mark = bqplot.Scatter(x=[], y=[], scales={"x": self._x, "y": self._y}, **style)
        mark.on_element_click(self._clicked)
        return mark

    def _clicked(self, mark: bqplot.Scatter, event: dict[str, Any]) -> None:
        if self._on_click is not None:
            self._on_click(int(self._rows[mark][event["data"]["index"]]))

    def _span(self, times: NDArray[np.float64], low: float, high: float) -> None:
        """Put the axes around the points."""
        first, last = float(times.min()), float(times.max())
        margin = max(0.03 * (last - first), 10.0)
        ticks, form = time_ticks(first - margin, last + margin)
        with self._time.hold_sync():
            self._time.tick_values, self._time.tick_format = ticks, form
        with self._x.hold_sync():
            self._x.min, self._x.max = (_naive(at) for at in (first - margin, last + margin))
        values, value_form = number_ticks(low, high)
        with self._value.hold_sync():
            self._value.tick_values, self._value.tick_format = values, value_form
        with self._y.hold_sync():
            self._y.min, self._y.max = low, high


def _local(times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Move seconds since 1970-01-01 UTC into this machine's time zone: bqplot writes every time as UTC."""
    known = times[np.isfinite(times)]
    offset = datetime.fromtimestamp(known.max() if known.size else 0).astimezone().utcoffset()
    return times + (offset.total_seconds() if offset is not None else 0.0)


def _naive(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC).replace(tzinfo=None)
