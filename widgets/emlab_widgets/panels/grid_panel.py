"""Where on the grid the micrographs were taken, in the colours of a measure."""

from __future__ import annotations

from typing import Any

import ipywidgets
import numpy as np
from numpy.typing import NDArray

from emlab.monitors import counted, grouped, number, robust_range
from emlab_widgets.figures.places import CIVIDIS, Places
from emlab_widgets.measures import ALL, RESOLUTION, THICKNESS, TILT, Measure, measured, present
from emlab_widgets.panels.view import View

MICROMETRE = 1e4
"""Å."""
HOLES = 2000
"""Places that one plot draws; each is an element of the page."""
_HOW = "Choose a square to see its holes, and a hole to see its micrograph: click it, or use Tab, arrow keys and Enter."
_EMPTY = "appear here if the metadata beside the movies (EPU's XML, SerialEM's mdoc) give the stage position."


class GridPanel:
    """The grid squares, and the holes of one of them; to choose a square opens it, a hole shows its micrograph."""

    def __init__(self, view: View) -> None:
        self._view = view
        shown = (*measured(view.session, *ALL), *present(view.items, THICKNESS, TILT))
        self._measures = {one.title: one for one in shown}
        first = RESOLUTION.title if RESOLUTION.title in self._measures else next(iter(self._measures))
        self._choice = ipywidgets.Dropdown(options=list(self._measures), value=first, description="Colour")
        self._choice.style.description_width = "initial"
        self._choice.observe(view.guard(lambda _: self.update()), "value")
        self._squares = Places("Grid squares", f"Grid squares {_EMPTY}", "square", 260, self._open, view.guard)
        self._holes = Places("Holes", f"Holes {_EMPTY}", "circle", 70, view.focus.choose, view.guard)
        self._square: float | None = None
        self._scale = ipywidgets.HTML()
        plots = ipywidgets.GridBox([self._squares.widget, self._holes.widget])
        plots.add_class("emlab-plots")
        how = ipywidgets.HTML(f'<div class="emlab emlab-quiet">{_HOW}</div>')
        bar = ipywidgets.HBox([self._choice, self._scale, how])
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
        row = self._view.focus.row
        square = self._square
        if square is None and row is not None and placed[row]:
            square = float(squares[row])
        inside = np.flatnonzero(placed & (squares == square)) if square is not None else np.empty(0, np.intp)
        opened = int(inside[-1]) if inside.size else None
        rows = np.flatnonzero(placed)
        places = grouped(rows, squares[rows])
        self._squares.update(places, x, y, values, (low, high), self._name, measure, chosen=opened)
        # With image shift, several are taken without moving the stage.
        newest = inside[-HOLES:]
        holes = grouped(newest, np.round(x[newest], 2), np.round(y[newest], 2))
        self._holes.update(holes, x, y, values, (low, high), lambda rows: items.keys[rows[-1]], measure, chosen=row)
        self._holes.annotate(f"{self._name(inside)}, {counted(inside.size, 'micrograph')}" if inside.size else "")

    def _open(self, row: int) -> None:
        items = self._view.items
        x, y = items["stage_x"], items["stage_y"]
        squares = _squares(items["grid_square"], x / MICROMETRE, y / MICROMETRE, np.isfinite(x) & np.isfinite(y))
        self._square = float(squares[row])
        self.update()

    def _name(self, rows: NDArray[np.intp]) -> str:
        """What a square is called, or where it is."""
        items = self._view.items
        code = items["grid_square"][rows[-1]]
        if np.isfinite(code):
            return items.names["grid_square"][int(code)]
        x, y = (float(np.median(items[name][rows])) / MICROMETRE for name in ("stage_x", "stage_y"))
        return f"Square at x {x:,.0f}, y {y:,.0f} µm"


def _squares(
    codes: NDArray[np.float64], x: NDArray[np.float64], y: NDArray[np.float64], placed: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Give each item's grid square a number; where the metadata name none, squares of 100 µm stand in."""
    unnamed = np.isnan(codes) & placed
    stand_in = -1 - (np.floor(x / 100) * 1000 + np.floor(y / 100) + 500_000)
    return np.where(unnamed, stand_in, codes)


def _legend(measure: Measure, low: float, high: float) -> str:
    colours = ", ".join(CIVIDIS)
    return (
        f'<div class="emlab emlab-ramp"><span>{number(low, measure.digits)}</span>'
        f'<i style="background: linear-gradient(90deg, {colours})"></i>'
        f"<span>{number(high, measure.digits)} {measure.unit}</span></div>"
    )
