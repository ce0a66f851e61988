"""Every micrograph with its values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import traitlets
from numpy.typing import NDArray

from emlab.errors import ParameterError
from emlab.monitors import matching, moment, number
from emlab_widgets import measures
from emlab_widgets.measures import Measure, measured, present
from emlab_widgets.panels.view import View

PAGE = 50
"""Rows that are sent at a time."""

_MEASURES: dict[str, Measure] = {
    "defocus": measures.MEAN_DEFOCUS,
    "astigmatism": measures.ASTIGMATISM,
    "resolution": measures.RESOLUTION,
    "score": measures.SCORE,
    "ice": measures.ICE,
    "motion": measures.MOTION,
    "counts": measures.COUNTS,
    "particles": measures.PARTICLES,
}
"""The columns of numbers, by the names that a search knows them by."""
_IF_PRESENT: dict[str, Measure] = {
    "phase": measures.PHASE_SHIFT,
    "thickness": measures.THICKNESS,
    "tilt": measures.TILT,
}
"""Columns that are there when any micrograph has a value."""


class Table(anywidget.AnyWidget):
    """One page of a table.

    Attributes
    ----------
    asked
        What the page asks for: ``query``, ``sort``, ``descending``, ``page``.
    shown
        What it gets: ``columns``, ``rows``, the ``first`` row's place, ``total``, ``problem``, the ``chosen`` row.
    """

    _esm = Path(__file__).with_name("table.js").read_text("utf-8")

    hint = traitlets.Unicode().tag(sync=True)
    asked = traitlets.Dict({"query": "", "sort": "acquired", "descending": True, "page": 0}).tag(sync=True)
    shown = traitlets.Dict().tag(sync=True)


class TablePanel:
    """A table of everything: it sorts, searches, pages, and gives a CSV file."""

    def __init__(self, view: View) -> None:
        self._view = view
        hint = "Search: part of a name, rejected, resolution<4, motion>30 …"
        self.widget: Any = Table(hint=hint)
        self.widget.observe(view.guard(lambda _: self.update()), "asked")
        self.widget.on_msg(lambda _, content, __: view.guard(self._heard)(content))

    def update(self) -> None:
        """Send the page that is asked for, as it is now."""
        measures, columns = self._measures, self._columns()
        rows, problem = self._rows(columns)
        wanted = self.widget.asked
        first = min(max(int(wanted["page"]), 0), max(rows.size - 1, 0) // PAGE) * PAGE
        chosen = self._view.focus.row
        self.widget.shown = {
            "columns": [
                {"name": "name", "title": "Name", "number": False},
                {"name": "acquired", "title": "Acquired", "number": False},
                {"name": "decision", "title": "Decision", "number": False},
                *({"name": name, "title": one.label, "number": True} for name, one in measures.items()),
            ],
            "rows": [self._row(int(row), measures, columns) for row in rows[first : first + PAGE]],
            "first": first,
            "total": int(rows.size),
            "problem": problem,
            "chosen": -1 if chosen is None else chosen,
        }

    def csv(self) -> bytes:
        """The rows that are found, in the order shown, with every measure; UTF-8."""
        rows, _ = self._rows(self._columns())
        return self._view.items.to_csv(rows).encode()

    @property
    def _measures(self) -> dict[str, Measure]:
        """The columns of numbers that the session has, by name."""
        shown = {*measured(self._view.session, *_MEASURES.values()), *present(self._view.items, *_IF_PRESENT.values())}
        return {name: measure for name, measure in (_MEASURES | _IF_PRESENT).items() if measure in shown}

    def _columns(self) -> dict[str, NDArray[np.float64]]:
        items = self._view.items
        return {name: measure.values(items) for name, measure in self._measures.items()}

    def _rows(self, columns: dict[str, NDArray[np.float64]]) -> tuple[NDArray[np.intp], str]:
        """Which rows are found, in order, and what is wrong with the question."""
        items, asked = self._view.items, self.widget.asked
        decisions = self._view.items.decisions
        problem = ""
        found = np.ones(len(items), bool)
        if asked["query"].strip():
            try:
                found = matching(asked["query"], columns, (items.keys, decisions.tolist()), len(items))
            except ParameterError as error:
                problem = str(error)
        rows = np.flatnonzero(found)
        values: dict[str, Any] = {"name": np.array(items.keys, object), "acquired": items.time, "decision": decisions}
        by = {**values, **columns}.get(asked["sort"], items.time)[rows]
        order = np.argsort(by, kind="stable")
        if asked["descending"]:
            order = order[::-1]
        if by.dtype == float:  # what is not known comes last, whichever way
            unknown = np.isnan(by[order])
            order = np.concatenate([order[~unknown], order[unknown]])
        return rows[order], problem

    def _row(self, row: int, measures: dict[str, Measure], columns: dict[str, NDArray[np.float64]]) -> dict[str, Any]:
        items = self._view.items
        decision = str(self._view.items.decisions[row])
        numbers = [number(columns[name][row], measure.digits) for name, measure in measures.items()]
        cells = [items.keys[row], moment(items.time[row]), decision or "–", *numbers]
        return {"row": row, "cells": cells, "decision": decision}

    def _heard(self, content: dict[str, Any]) -> None:
        if isinstance(row := content.get("chosen"), int):
            self._view.focus.choose(row)
        elif "save" in content:
            self.widget.send({"name": f"{self._view.session.path.name}.csv"}, [self.csv()])
