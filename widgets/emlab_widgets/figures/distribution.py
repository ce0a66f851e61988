"""How a measure is distributed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import bqplot
import numpy as np
from bqplot.interacts import BrushIntervalSelector
from numpy.typing import NDArray

from emlab.monitors import ENOUGH, Items, counted, histogram, number, quantiles
from emlab_widgets import theme
from emlab_widgets.figures.plot import Plot, axis
from emlab_widgets.figures.ticks import number_ticks
from emlab_widgets.measures import Measure


class Distribution:
    """A histogram with axes that one outlier cannot ruin.

    Parameters
    ----------
    measure
        What is counted.
    on_brush
        Called with the span that a person drags across it, in the unit shown; ``None`` when there is none any more.

    Attributes
    ----------
    widget
        To be displayed.
    """

    def __init__(self, measure: Measure, on_brush: Callable[[tuple[float, float] | None], None] | None = None) -> None:
        self._measure = measure
        self._drawn: tuple[int, int, Sequence[float]] = (0, -1, ())
        self._framed: tuple[Any, ...] = ()
        self._spread = self._said = ""
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
        self._limits = bqplot.Lines(
            x=[[0.0, 0.0]],
            y=[[0.0, 0.0]],
            scales={"x": self._x, "y": self._y},
            colors=[theme.VERMILION],
            line_style="dashed",
            stroke_width=1.5,
            visible=False,
        )
        marks, axes = [self._bars, self._limits], [self._value, self._count]
        self._brush: BrushIntervalSelector | None = None
        if on_brush is not None:
            self._brush = BrushIntervalSelector(scale=self._x, marks=[self._bars], color=measure.colour)
            self._brush.observe(lambda change: on_brush(_span(change["new"])), "selected")
        self._plot = Plot(f"{measure.title}, distribution", measure.empty, marks, axes, self._brush)
        self.widget: Any = self._plot.widget

    def update(self, items: Items, limits: Mapping[str, Sequence[float]] | None = None) -> None:
        """Draw what there is now, with lines at the ``limits`` of the measure, unless it is what was drawn."""
        bounds = [limit / self._measure.divisor for limit in (limits or {}).get(self._measure.name, ())]
        if self._drawn == (id(items), items.changes, bounds):
            return
        self._drawn = id(items), items.changes, bounds
        binned = histogram(self._measure.values(items))
        values = binned.ordered
        self._plot.reveal(filled=bool(values.size))
        if not values.size:
            return
        first, last = float(binned.edges[0]), float(binned.edges[-1])
        near = [bound for bound in bounds if first - (last - first) < bound < last + (last - first)]
        with self._bars.hold_sync():
            self._frame(binned.centres, min([first, *near]), max([last, *near]), _top(int(binned.counts.max())), near)
            self._bars.y = binned.counts.astype(float)
        note = self._note(values)
        self._spread = f"{note} · {binned.beyond:,} off the scale" if binned.beyond else note
        self._plot.annotate(self._said or self._spread)

    def say(self, sentence: str) -> None:
        """Put a sentence beside the heading in place of where most values lie; an empty one puts that back."""
        self._said = sentence
        self._plot.annotate(sentence or self._spread)

    def _note(self, values: NDArray[np.float64]) -> str:
        """Where most of the values lie, which are in ascending order; of a few how many they are.

        Of many, it would be another sentence with each, and every message to a page has its price.
        """
        if values.size < ENOUGH:
            return counted(values.size, "micrograph")
        low, high = quantiles(values, (0.1, 0.9))
        digits = self._measure.digits
        return f"80 % from {number(low, digits)} to {number(high, digits)} {self._measure.unit}"

    def _frame(self, centres: NDArray[np.float64], first: float, last: float, most: float, near: list[float]) -> None:
        """Draw what stays when one more is counted: axes, the places of the bars, and limits."""
        framed = centres[0], len(centres), first, last, most, near
        if self._framed == framed:
            return
        self._framed = framed
        with self._value.hold_sync():
            self._value.tick_values, self._value.tick_format = number_ticks(first, last)
        counts, _ = number_ticks(0, most)
        self._count.tick_values = counts[counts == np.round(counts)]
        with self._x.hold_sync():
            self._x.min, self._x.max = first, last
        self._y.max = most
        self._bars.x = centres
        with self._limits.hold_sync():
            self._limits.visible = bool(near)
            if near:
                self._limits.x = np.repeat(np.array(near)[:, None], 2, axis=1)
                self._limits.y = np.tile([0.0, most], (len(near), 1))

    def clear_brush(self) -> None:
        """Take the brush away."""
        if self._brush is not None and self._brush.selected is not None:
            self._brush.reset()
            self._brush.selected = None


def _top(most: int) -> float:
    """Where an axis of counts ends: a little above the most, at a number that stays when one more is counted."""
    step = 10.0 ** (len(str(most)) - 2)
    return float(max(math.ceil(1.05 * most / step), 1) * step)


def _span(selected: Any) -> tuple[float, float] | None:
    if selected is None or len(selected) < 2:
        return None
    return float(selected[0]), float(selected[-1])
