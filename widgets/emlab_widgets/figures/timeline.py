"""Measures of each micrograph over the time when it was taken."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emlab.monitors import Items
from emlab_widgets.figures.chart import Chart
from emlab_widgets.measures import Measure


class Timeline:
    """Points over acquisition time, one plot per measure, with axes that one outlier cannot ruin.

    Rejected micrographs have a colour of their own, outliers are triangles at the edge, a line follows the median.

    Parameters
    ----------
    *measures
        What is plotted.
    on_click
        Called with the item's row when its point is clicked.
    height
        Of each plot, px.
    lock
        Held while items are read and drawn; see `emlab_widgets.figures.chart.Chart`.

    Attributes
    ----------
    widget
        To be displayed.
    """

    def __init__(
        self,
        *measures: Measure,
        on_click: Callable[[int], None] | None = None,
        height: int = 200,
        lock: AbstractContextManager[Any] | None = None,
    ) -> None:
        self._measures = measures
        self._items: Items | None = None
        self._seen = 0
        charts = [_facts(measure, height) for measure in measures]
        self._chart = Chart(charts, self._whole, on_click, lock)
        self.widget: Any = self._chart

    def update(
        self, items: Items, chosen: int | None = None, limits: Mapping[str, Sequence[float]] | None = None
    ) -> None:
        """Draw what is new, with a ring around the ``chosen`` row and lines at the ``limits`` of each measure."""
        rows = items.changed(self._seen)
        self._seen = items.changes
        if self._items is not items:
            self._items = items
        if rows.size:
            if self._chart.origin:
                self._chart.patch(self._packed(rows))
            else:
                self._chart.fill(float(np.nanmin(_local(items.time))))
        self._chart.limits = {
            measure.name: [value / measure.divisor for value in (limits or {}).get(measure.name, ())]
            for measure in self._measures
        }
        self._chart.chosen = -1 if chosen is None else chosen

    def _whole(self) -> NDArray[np.float32]:
        return self._packed(np.arange(0 if self._items is None else len(self._items)))

    def _packed(self, rows: NDArray[np.intp]) -> NDArray[np.float32]:
        items = self._items
        if items is None:
            return np.empty((0, 3 + len(self._measures)), np.float32)
        times = _local(items.time[rows]) - self._chart.origin
        values = [measure.values(items)[rows] for measure in self._measures]
        return np.stack([rows, times, items.decision[rows], *values], axis=1).astype(np.float32)


def _facts(measure: Measure, height: int) -> dict[str, Any]:
    return {
        "name": measure.name,
        "title": measure.title,
        "label": measure.label,
        "unit": measure.unit,
        "digits": measure.digits,
        "colour": measure.colour,
        "empty": measure.empty,
        "trend": measure.trend,
        "height": height,
    }


def _local(times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Move seconds since 1970-01-01 UTC into this machine's time zone: the page writes every time as UTC."""
    known = times[np.isfinite(times)]
    offset = datetime.fromtimestamp(known.max() if known.size else 0).astimezone().utcoffset()
    return times + (offset.total_seconds() if offset is not None else 0.0)
