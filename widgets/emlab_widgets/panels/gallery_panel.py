"""The micrographs as small pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import traitlets
from numpy.typing import NDArray

from emlab.model import Micrograph
from emlab.monitors import clock, number, reduced
from emlab_widgets import measures
from emlab_widgets.measures import measured
from emlab_widgets.panels.view import View

PAGE = 48
"""Pictures at a time."""
WIDTH = 170
"""px of a picture."""
_ORDERS = (measures.RESOLUTION, measures.MOTION, measures.ICE, measures.ASTIGMATISM, measures.SCORE)


class Gallery(anywidget.AnyWidget):
    """One page of pictures.

    Attributes
    ----------
    orders
        What it can be sorted by: names and titles.
    asked
        What the page asks for: ``which`` (``accepted``, ``rejected`` or all), ``sort``, ``page``.
    shown
        What it gets: ``cells``, the ``first`` one's place, ``total``, the ``chosen`` row.
    """

    _esm = Path(__file__).with_name("gallery.js").read_text("utf-8")

    orders: Any = traitlets.List().tag(sync=True)
    asked = traitlets.Dict({"which": "", "sort": "", "page": 0}).tag(sync=True)
    shown = traitlets.Dict().tag(sync=True)


class GalleryPanel:
    """Pictures, the newest first, or the worst; a picture is sent once."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._measures = {one.name: one for one in measured(view.session, *_ORDERS)}
        orders = [("", "newest"), *((name, f"worst {one.title}") for name, one in self._measures.items())]
        self._sent: set[int] = set()
        self._is_heard = False
        self.widget: Any = Gallery(orders=orders)
        self.widget.observe(view.guard(lambda _: self.update()), "asked")
        self.widget.on_msg(lambda _, content, __: view.guard(self._heard)(content))

    def update(self) -> None:
        """Send what is new on the page that is asked for."""
        rows = self._rows()
        first = min(max(int(self.widget.asked["page"]), 0), max(rows.size - 1, 0) // PAGE) * PAGE
        page = [int(row) for row in rows[first : first + PAGE]]
        if self._is_heard:
            self._send([row for row in page if row not in self._sent])
        chosen = self._view.focus.row
        self.widget.shown = {
            "cells": [self._cell(row) for row in page],
            "first": first,
            "total": int(rows.size),
            "chosen": -1 if chosen is None else chosen,
        }

    def _rows(self) -> NDArray[np.intp]:
        """The rows of those wanted, in the order wanted."""
        items, asked = self._view.items, self.widget.asked
        wanted = np.isfinite(items["micrograph"])
        if asked["which"]:
            wanted &= self._view.items.decisions == asked["which"]
        rows = np.flatnonzero(wanted)
        if (measure := self._measures.get(asked["sort"])) is None:
            return rows[np.argsort(items.time[rows], kind="stable")[::-1]]
        values = measure.values(items)[rows]
        worst_first = values if measure is measures.SCORE else -values
        return rows[np.argsort(worst_first, kind="stable")]

    def _cell(self, row: int) -> dict[str, Any]:
        items = self._view.items
        measure = self._measures.get(self.widget.asked["sort"], measures.RESOLUTION)
        value = f"{number(measure.values(items)[row], measure.digits)} {measure.unit}"
        note = f"{clock(items.time[row])} · {value}" if measure.name in self._measures else clock(items.time[row])
        return {"row": row, "name": items.keys[row], "note": note, "decision": str(self._view.items.decisions[row])}

    def _send(self, rows: list[int]) -> None:
        sent, pictures = [], []
        for row in rows:
            record = self._view.items.records(row).get("micrograph")
            if not isinstance(record, Micrograph) or record.thumbnail is None:
                continue
            if (picture := reduced(self._view.session.file(record.thumbnail), WIDTH, 70)) is not None:
                sent.append(row)
                pictures.append(picture)
        if sent:
            self.widget.send({"rows": sent}, pictures)
            self._sent.update(sent)

    def _heard(self, content: dict[str, Any]) -> None:
        if isinstance(row := content.get("chosen"), int):
            self._view.focus.choose(row)
        elif "fresh" in content:  # a page that has none of them yet
            self._is_heard = True
            self._sent.clear()
            self.update()
