"""Where on the grid the micrographs were taken, in the colours of a measure."""

from __future__ import annotations

from typing import Any

import bqplot
import ipywidgets
import numpy as np
from numpy.typing import NDArray

from emlab.monitors import counted, grouped, means, medians, number, robust_range
from emlab_widgets.figures.plot import Plot, axis
from emlab_widgets.figures.ticks import number_ticks
from emlab_widgets.measures import ALL, RESOLUTION, THICKNESS, TILT, Measure, measured, present
from emlab_widgets.panels.view import View

MICROMETRE = 1e4
"""Å."""
HOLES = 2000
"""Places that one plot draws; each is an element of the page."""
_NARROWEST = 10.0
"""µm that a map shows at least."""
# Cividis at even steps, which colour-blind eyes see as others do: https://doi.org/10.1371/journal.pone.0199239
_CIVIDIS = ["#00224e", "#35456c", "#666970", "#948e77", "#c8b866", "#fee838"]
_EMPTY = "appear here where the metadata beside the movies tell the stage's position (EPU's XML, SerialEM's mdoc)."


class GridPanel:
    """The grid squares, and the holes of one of them; a click on a square opens it, on a hole shows its micrograph."""

    def __init__(self, view: View) -> None:
        self._view = view
        shown = (*measured(view.session, *ALL), *present(view.items, THICKNESS, TILT))
        self._measures = {one.title: one for one in shown}
        first = RESOLUTION.title if RESOLUTION.title in self._measures else next(iter(self._measures))
        self._choice = ipywidgets.Dropdown(options=list(self._measures), value=first, description="Colour")
        self._choice.style.description_width = "initial"
        self._choice.observe(view.guard(lambda _: self.update()), "value")
        self._squares = _Map("Grid squares", f"Grid squares {_EMPTY}", "square", 260, view.guard(self._open))
        self._holes = _Map("Holes", f"Holes {_EMPTY}", "circle", 70, view.guard(view.focus.choose))
        self._square: float | None = None
        self._scale = ipywidgets.HTML()
        plots = ipywidgets.GridBox([self._squares.widget, self._holes.widget])
        plots.add_class("emlab-plots")
        bar = ipywidgets.HBox([self._choice, self._scale])
        bar.add_class("emlab-buttons")
        self.widget: Any = ipywidgets.VBox([bar, plots])

    def update(self) -> None:
        """Draw what there is now: the square that was clicked, or that of the micrograph in focus."""
        items, measure = self._view.items, self._measures[self._choice.value]
        x, y = items["stage_x"] / MICROMETRE, items["stage_y"] / MICROMETRE
        placed = np.isfinite(x) & np.isfinite(y)
        values = measure.values(items)
        low, high = robust_range(values[placed])
        self._scale.value = _legend(measure, low, high) if np.isfinite(values[placed]).any() else ""
        squares = _squares(items["grid_square"], x, y, placed)
        rows = np.flatnonzero(placed)
        places = grouped(rows, squares[rows])
        self._squares.update(places, x, y, values, (low, high), self._name, measure)
        row = self._view.focus.row
        square = self._square
        if square is None and row is not None and placed[row]:
            square = float(squares[row])
        inside = np.flatnonzero(placed & (squares == square)) if square is not None else np.empty(0, np.intp)
        # With image shift, several are taken without moving the stage.
        newest = inside[-HOLES:]
        holes = grouped(newest, np.round(x[newest], 2), np.round(y[newest], 2))
        self._holes.update(holes, x, y, values, (low, high), lambda rows: items.keys[rows[-1]], measure, chosen=row)
        name = self._name(inside) if inside.size else ""
        self._holes.annotate(f"{name}, {counted(inside.size, 'micrograph')}" if name else "")

    def _open(self, row: int) -> None:
        items = self._view.items
        x, y = items["stage_x"], items["stage_y"]
        squares = _squares(items["grid_square"], x / MICROMETRE, y / MICROMETRE, np.isfinite(x) & np.isfinite(y))
        self._square = float(squares[row])
        self.update()

    def _name(self, rows: NDArray[np.intp]) -> str:
        """What a square is called."""
        code = self._view.items["grid_square"][rows[-1]]
        return self._view.items.names["grid_square"][int(code)] if np.isfinite(code) else "Square"


class _Map:
    """Places on the grid in the colours of a measure."""

    def __init__(self, title: str, empty: str, marker: str, size: int, on_click: Any) -> None:
        self._rows: list[NDArray[np.intp]] = []
        self._on_click = on_click
        self._x, self._y = bqplot.LinearScale(min=0, max=1), bqplot.LinearScale(min=0, max=1)
        self._colour = bqplot.ColorScale(min=0, max=1, colors=_CIVIDIS)
        self._axes = [axis(self._x, "Stage x (µm)"), axis(self._y, "Stage y (µm)", side="left")]
        scales = {"x": self._x, "y": self._y, "color": self._colour}
        tooltip = bqplot.Tooltip(fields=["name", "color"], labels=["", "Median"], formats=["", ",.4g"])
        self._points = bqplot.Scatter(
            x=[],
            y=[],
            color=[],
            names=[],
            display_names=False,
            scales=scales,
            marker=marker,
            default_size=size,
            tooltip=tooltip,
            stroke="#8796a5",
            stroke_width=0.5,
        )
        self._ring = bqplot.Scatter(
            x=[],
            y=[],
            scales={"x": self._x, "y": self._y},
            colors=["#d55e00"],
            fill=False,
            stroke_width=3,
            default_size=3 * size,
        )
        self._points.on_element_click(self._clicked)
        self._plot = Plot(title, empty, [self._points, self._ring], self._axes, height="420px")
        self.widget = self._plot.widget

    def update(
        self,
        groups: list[NDArray[np.intp]],
        x: NDArray[np.float64],
        y: NDArray[np.float64],
        values: NDArray[np.float64],
        span: tuple[float, float],
        name: Any,
        measure: Measure,
        chosen: int | None = None,
    ) -> None:
        """Draw one point for each group of rows: at their mean place, in the colour of their median value."""
        shown = medians(values, groups)
        groups = [rows for rows, median in zip(groups, shown, strict=True) if np.isfinite(median)]
        shown = shown[np.isfinite(shown)]
        self._rows = groups
        self._plot.reveal(filled=bool(groups))
        if not groups:
            return
        at_x, at_y = means(x, groups), means(y, groups)
        self._frame(at_x, at_y)
        with self._colour.hold_sync():
            self._colour.min, self._colour.max = span
        with self._points.hold_sync():
            self._points.x, self._points.y = at_x.astype(np.float32), at_y.astype(np.float32)
            self._points.color = np.clip(shown, *span).astype(np.float32)
            self._points.names = [name(rows) for rows in groups]
            self._points.tooltip.labels = ["", f"{measure.title}, median"]
        ringed = [place for place, rows in enumerate(groups) if chosen is not None and chosen in rows]
        with self._ring.hold_sync():
            self._ring.x, self._ring.y = at_x[ringed].astype(np.float32), at_y[ringed].astype(np.float32)

    def annotate(self, note: str) -> None:
        """Put a note beside the heading."""
        self._plot.annotate(note)

    def _frame(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> None:
        """Put the axes around the points, with one scale both ways."""
        half = max(float(np.ptp(x)), float(np.ptp(y)), _NARROWEST) * 0.56
        for scale, values, shown in zip((self._x, self._y), (x, y), self._axes, strict=True):
            middle = float(values.min() + values.max()) / 2
            with scale.hold_sync():
                scale.min, scale.max = middle - half, middle + half
            shown.tick_values, shown.tick_format = number_ticks(middle - half, middle + half)

    def _clicked(self, _mark: Any, event: dict[str, Any]) -> None:
        self._on_click(int(self._rows[event["data"]["index"]][-1]))


def _squares(
    codes: NDArray[np.float64], x: NDArray[np.float64], y: NDArray[np.float64], placed: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Give each item's grid square a number; where the metadata name none, squares of 100 µm stand in."""
    unnamed = np.isnan(codes) & placed
    stand_in = -1 - (np.floor(x / 100) * 1000 + np.floor(y / 100) + 500_000)
    return np.where(unnamed, stand_in, codes)


def _legend(measure: Measure, low: float, high: float) -> str:
    colours = ", ".join(_CIVIDIS)
    return (
        f'<div class="emlab emlab-ramp"><span>{number(low, measure.digits)}</span>'
        f'<i style="background: linear-gradient(90deg, {colours})"></i>'
        f"<span>{number(high, measure.digits)} {measure.unit}</span></div>"
    )
