"""How a measure is distributed."""

from __future__ import annotations

from typing import Any

import bqplot
import numpy as np

from emlab.monitors import Items, counted, histogram, number
from emlab_widgets.figures.plot import Plot, axis
from emlab_widgets.figures.ticks import number_ticks
from emlab_widgets.measures import Measure


class Distribution:
    """A histogram with axes that one outlier cannot ruin.

    Attributes
    ----------
    widget
        To be displayed.
    """

    def __init__(self, measure: Measure) -> None:
        self._measure = measure
        self._drawn = (0, -1)
        self._x, self._y = bqplot.LinearScale(min=0, max=1), bqplot.LinearScale(min=0, max=1)
        self._value = axis(self._x, measure.label, grid_lines="none")
        self._count = axis(self._y, "Micrographs", side="left", tick_format=",.0f")
        self._bars = bqplot.Bars(
            x=[],
            y=[],
            scales={"x": self._x, "y": self._y},
            colors=[measure.colour],
            opacities=[0.85],
            padding=0.08,
            tooltip=bqplot.Tooltip(
                fields=["x", "y"],
                formats=[f",.{measure.digits + 1}f", ",.0f"],
                labels=[measure.label, "Micrographs"],
            ),
        )
        self._plot = Plot(f"{measure.title}, distribution", measure.empty, [self._bars], [self._value, self._count])
        self.widget: Any = self._plot.widget

    def update(self, items: Items) -> None:
        """Draw what there is now, unless it is what was drawn."""
        if self._drawn == (id(items), items.changes):
            return
        self._drawn = id(items), items.changes
        values = self._measure.values(items)
        values = values[np.isfinite(values)]
        self._plot.reveal(filled=bool(values.size))
        if not values.size:
            return
        binned = histogram(values)
        first, last, most = float(binned.edges[0]), float(binned.edges[-1]), float(binned.counts.max()) * 1.05
        with self._value.hold_sync():
            self._value.tick_values, self._value.tick_format = number_ticks(first, last)
        counts, _ = number_ticks(0, most)
        self._count.tick_values = counts[counts == np.round(counts)]
        with self._x.hold_sync():
            self._x.min, self._x.max = first, last
        self._y.max = most
        with self._bars.hold_sync():
            self._bars.x, self._bars.y = binned.centres, binned.counts.astype(float)
        low, high = np.percentile(values, [10, 90])
        digits, unit = self._measure.digits, self._measure.unit
        note = f"{counted(values.size, 'micrograph')}, 80 % from {number(low, digits)} to {number(high, digits)} {unit}"
        self._plot.annotate(f"{note} · {binned.beyond:,} off the scale" if binned.beyond else note)
