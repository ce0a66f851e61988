"""Places on the grid in the colours of a measure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import bqplot
import numpy as np
from numpy.typing import NDArray

from emlab.monitors import counted, means, medians, number
from emlab_widgets import theme
from emlab_widgets.figures.cursor import Cursor
from emlab_widgets.figures.neighbour import neighbour
from emlab_widgets.figures.plot import Plot, axis
from emlab_widgets.figures.ticks import number_ticks
from emlab_widgets.measures import Measure

# Cividis at even steps, which colour-blind eyes see as others do: https://doi.org/10.1371/journal.pone.0199239
CIVIDIS = ["#00224e", "#35456c", "#666970", "#948e77", "#c8b866", "#fee838"]
_NARROWEST = 10.0
"""µm that a map shows at least."""
_CURSOR = "#1a86d6"
"""Where the keyboard is; seen on white and on black."""


class Places:
    """A map of which each place can be chosen: by a click, or with arrow keys and Enter.

    Parameters
    ----------
    title, empty
        Its heading, and what stands there before the first place.
    marker, size
        How a place is drawn, with its area in px².
    on_choose
        Called with the last row of the place that is chosen.
    guard
        Wraps whatever a page calls.

    Attributes
    ----------
    widget
        To be displayed.
    """

    def __init__(
        self,
        title: str,
        empty: str,
        marker: str,
        size: int,
        on_choose: Callable[[int], None],
        guard: Callable[[Callable[..., None]], Callable[..., None]],
    ) -> None:
        self._groups: list[NDArray[np.intp]] = []
        self._members = self._owners = np.empty(0, np.intp)
        self._names: list[str] = []
        self._measure = ""
        self._value: Callable[[int], str] = str
        self._chosen: int | None = None
        self._at: int | None = None
        self._is_focused = False
        self._note = ""
        self._on_choose = on_choose
        self._x, self._y = bqplot.LinearScale(min=0, max=1), bqplot.LinearScale(min=0, max=1)
        self._colour = bqplot.ColorScale(min=0, max=1, colors=CIVIDIS)
        self._axes = [axis(self._x, "Stage x (µm)"), axis(self._y, "Stage y (µm)", side="left")]
        self._points = bqplot.Scatter(
            x=[],
            y=[],
            color=[],
            names=[],
            display_names=False,
            scales={"x": self._x, "y": self._y, "color": self._colour},
            marker=marker,
            default_size=size,
            tooltip=bqplot.Tooltip(fields=["name", "color"], labels=["", "Median"], formats=["", ",.4g"]),
            stroke="#8796a5",
            stroke_width=0.5,
        )
        self._points.on_element_click(guard(lambda _, event: self._choose(event["data"]["index"])))
        self._ring = self._outline(marker, 3 * size, theme.VERMILION)
        self._mark = self._outline("square", 7 * size, _CURSOR)
        marks = [self._points, self._ring, self._mark]
        self._plot = Plot(title, empty, marks, self._axes, height="420px")
        chosen = guard(lambda: self._choose(self._place()))
        self._cursor = Cursor(title, guard(self._focus), guard(self._step), chosen)
        self.widget: Any = self._plot.widget
        self.widget.children = (*self.widget.children, self._cursor)

    def update(
        self,
        groups: Sequence[NDArray[np.intp]],
        x: NDArray[np.float64],
        y: NDArray[np.float64],
        values: NDArray[np.float64],
        span: tuple[float, float],
        name: Callable[[NDArray[np.intp]], str],
        measure: Measure,
        chosen: int | None = None,
    ) -> None:
        """Draw one point for each group of rows: at their mean place, in the colour of their median value.

        Parameters
        ----------
        groups
            Rows that are one place.
        x, y, values
            Of every row: µm, and the measure's in the unit shown.
        span
            The values at the ends of the colours.
        name
            Gives what a group is called.
        measure
            What the values are.
        chosen
            A row whose group gets a ring.
        """
        shown = medians(values, groups)
        self._groups = [rows for rows, median in zip(groups, shown, strict=True) if np.isfinite(median)]
        shown = shown[np.isfinite(shown)]
        self._chosen = chosen
        self._plot.reveal(filled=bool(self._groups))
        if not self._groups:
            self._cursor.shown = {"count": 0}
            return
        at_x, at_y = means(x, self._groups), means(y, self._groups)
        self._frame(at_x, at_y)
        with self._colour.hold_sync():
            self._colour.min, self._colour.max = span
        self._members = np.concatenate(self._groups)
        self._owners = np.repeat(np.arange(len(self._groups)), [rows.size for rows in self._groups])
        self._names = [name(rows) for rows in self._groups]
        with self._points.hold_sync():
            self._points.x, self._points.y = at_x.astype(np.float32), at_y.astype(np.float32)
            self._points.color = np.clip(shown, *span).astype(np.float32)
            self._points.names = self._names
            self._points.tooltip.labels = ["", f"{measure.title}, median"]
        self._measure = measure.title
        self._value = lambda place: _words(shown[place], measure, self._groups[place].size)
        self._surround(self._ring, self._with(chosen))
        self._tell()

    def annotate(self, note: str) -> None:
        """Put a note beside the heading, where the place stands that the keyboard is at, if it is at any."""
        self._note = note
        self._tell()

    def _frame(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> None:
        """Put the axes around the points, with one scale both ways."""
        half = max(float(np.ptp(x)), float(np.ptp(y)), _NARROWEST) * 0.56
        for scale, values, shown in zip((self._x, self._y), (x, y), self._axes, strict=True):
            middle = float(values.min() + values.max()) / 2
            with scale.hold_sync():
                scale.min, scale.max = middle - half, middle + half
            shown.tick_values, shown.tick_format = number_ticks(middle - half, middle + half)

    def _with(self, row: int | None) -> int | None:
        """The place that a row belongs to."""
        found = [] if row is None else self._owners[self._members == row]
        return int(found[0]) if len(found) else None

    def _place(self) -> int:
        """The place that the keyboard is at: where it was, else the one that is chosen, else the first."""
        places = (self._with(self._at), self._with(self._chosen), 0)
        return next(place for place in places if place is not None)

    def _tell(self) -> None:
        """Show the place that the keyboard is at."""
        if not self._groups:
            self._plot.annotate(self._note)
            return
        place = self._place()
        name, value = self._names[place], self._value(place)
        self._cursor.shown = {
            "text": f"{name}: {self._measure} {value}",
            "place": place,
            "count": len(self._groups),
            "chosen": place == self._with(self._chosen),
        }
        self._surround(self._mark, place if self._is_focused else None)
        self._plot.annotate(f"{name}: {value}" if self._is_focused else self._note)

    def _focus(self, is_focused: bool) -> None:
        self._is_focused = is_focused
        self._tell()

    def _step(self, key: str) -> None:
        if self._groups:
            x, y = self._points.x.astype(float), self._points.y.astype(float)
            self._at = int(self._groups[neighbour(x, y, self._place(), key)][-1])
            self._tell()

    def _choose(self, place: int) -> None:
        if place < len(self._groups):
            self._at = int(self._groups[place][-1])
            self._on_choose(self._at)

    def _outline(self, marker: str, size: int, colour: str) -> bqplot.Scatter:
        scales = {"x": self._x, "y": self._y}
        return bqplot.Scatter(
            x=[],
            y=[],
            scales=scales,
            marker=marker,
            default_size=size,
            colors=[colour],
            fill=False,
            stroke_width=3,
        )

    def _surround(self, outline: bqplot.Scatter, place: int | None) -> None:
        """Draw an outline around a place, or nowhere."""
        at = [] if place is None else [place]
        with outline.hold_sync():
            outline.x, outline.y = self._points.x[at], self._points.y[at]


def _words(value: float, measure: Measure, count: int) -> str:
    """What a place's colour means."""
    among = f", median of {counted(count, 'micrograph')}" if count > 1 else ""
    return f"{number(value, measure.digits)} {measure.unit}".strip() + among
