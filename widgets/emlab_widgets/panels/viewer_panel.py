"""The micrograph in focus, large: to be moved and magnified, with the spectrum's profile and the shifts beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anywidget
import bqplot
import ipywidgets
import numpy as np
import traitlets
from numpy.typing import NDArray

from emlab.errors import EmlabError
from emlab.formats.array import read_array
from emlab.formats.star import read_star
from emlab.model import Ctf, Micrograph, Picks, Record
from emlab.monitors import Magnifier, clipped, reduced
from emlab_widgets import theme
from emlab_widgets.figures.plot import Plot, axis
from emlab_widgets.figures.ticks import number_ticks
from emlab_widgets.html import empty
from emlab_widgets.panels.micrograph_view import pictures
from emlab_widgets.panels.view import View

_EMPTY = "The micrograph appears here, large, when the first movie has been aligned."
_WIDTH = 512
"""px of the thumbnail and the spectrum."""
_WIDEST = 2048
"""px of a picture that is sent."""


class Viewer(anywidget.AnyWidget):
    """A canvas on which a micrograph is moved and magnified.

    Attributes
    ----------
    facts
        ``key``, ``width``, ``height`` (px), ``pixel_size`` (Å), ``has_image``, ``note``; of its particles ``count`` and
        ``diameter`` (px), 0 where there are none.
    """

    _esm = Path(__file__).with_name("viewer.js").read_text("utf-8")

    facts = traitlets.Dict().tag(sync=True)


class ViewerPanel:
    """The micrograph's image, spectrum, profile and shifts."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._magnifier = Magnifier()
        self._shown: tuple[int, int] | None = None
        self._is_heard = False
        self._viewer = Viewer()
        self._viewer.on_msg(lambda _, content, __: view.guard(self._heard)(content))
        self._nothing = ipywidgets.HTML(f'<div class="emlab">{empty(_EMPTY)}</div>')
        self._pictures = ipywidgets.HTML()
        self._profile = _Curves(
            "Spectrum along the rings",
            "Spatial frequency (1/Å)",
            ("Spectrum", "Fit", "Agreement"),
            "The spectrum appears here when the micrograph's CTF has been estimated.",
        )
        self._shifts = _Curves(
            "Shift of each frame",
            "Frame",
            ("x (Å)", "y (Å)"),
            "Shifts appear here for a micrograph that was aligned from a movie.",
        )
        plots = ipywidgets.GridBox([self._profile.widget, self._shifts.widget])
        plots.add_class("emlab-plots")
        self.widget: Any = ipywidgets.VBox([self._nothing, self._viewer, plots, self._pictures])

    def update(self) -> None:
        """Show the micrograph in focus."""
        row = self._view.focus.row
        records = {} if row is None else self._view.items.records(row)
        micrograph, ctf = records.get("micrograph"), records.get("ctf")
        is_there = isinstance(micrograph, Micrograph)
        self._nothing.layout.display = "none" if is_there else None
        for widget in (self._viewer, self._pictures):
            widget.layout.display = None if is_there else "none"
        if not isinstance(micrograph, Micrograph) or row is None or self._shown == (row, len(records)):
            return
        self._shown = row, len(records)
        self._send(micrograph, records.get("picks"))
        self._profile.update(*_profile(self._view, ctf if isinstance(ctf, Ctf) else None))
        shifts = np.array([micrograph.shift_x, micrograph.shift_y]) * micrograph.pixel_size
        self._shifts.update(np.arange(1, shifts.shape[1] + 1), shifts)
        shown = "".join(pictures(self._view.session, records, _WIDTH // 2 if self._view.focus.follows else _WIDTH)[1:])
        self._pictures.value = f'<div class="emlab emlab-pictures">{shown}</div>'

    def _send(self, micrograph: Micrograph, picks: Record | None) -> None:
        """Send the micrograph's thumbnail, the places of its particles, and what the page has to know of it."""
        if not self._is_heard:
            return
        session = self._view.session
        has_image = session.file(micrograph.path).is_file()
        picture = reduced(session.file(micrograph.thumbnail), _WIDTH, 60) if micrograph.thumbnail else None
        if picture is None and has_image:
            picture = self._cut(micrograph, [0, 0, micrograph.width, micrograph.height], _WIDTH, 0.0)
        places = self._places(picks)
        self._viewer.facts = {
            "key": micrograph.key,
            "width": micrograph.width,
            "height": micrograph.height,
            "pixel_size": micrograph.pixel_size,
            "has_image": has_image,
            "count": len(places),
            "diameter": picks.diameter / picks.pixel_size if isinstance(picks, Picks) else 0,
            "note": "" if has_image else "The image file is missing; this is its thumbnail.",
        }
        if picture is not None:
            self._viewer.send({"base": True}, [picture, places.tobytes()])

    def _places(self, picks: Record | None) -> NDArray[np.float32]:
        """Give x and y of the particles, px of the micrograph: float32 (particle, 2)."""
        nowhere = np.empty((0, 2), np.float32)
        if not isinstance(picks, Picks):
            return nowhere
        try:
            return np.ascontiguousarray(read_array(self._view.session.file(picks.coordinates))[:, :2], np.float32)
        except (EmlabError, OSError):
            return nowhere  # it may be moved away while one looks

    def _heard(self, content: dict[str, Any]) -> None:
        row = self._view.focus.row
        records = {} if row is None else self._view.items.records(row)
        micrograph = records.get("micrograph")
        if "fresh" in content:
            self._is_heard = True
            if isinstance(micrograph, Micrograph):
                self._send(micrograph, records.get("picks"))
        elif "ask" in content and isinstance(micrograph, Micrograph):
            region = [float(edge) for edge in content["region"]][:4]
            try:
                picture = self._cut(micrograph, region, int(content["width"]), float(content["low_pass"]))
            except (EmlabError, ValueError):
                return  # it may be moved away while one looks; the thumbnail stays
            shown = clipped((region[0], region[1], region[2], region[3]), (micrograph.height, micrograph.width))
            self._viewer.send({"answer": content["ask"], "region": shown}, [picture])

    def _cut(self, micrograph: Micrograph, region: list[float], width: int, low_pass: float) -> bytes:
        path = self._view.session.file(micrograph.path)
        edges = (region[0], region[1], region[2], region[3])
        return self._magnifier.picture(path, edges, min(width, _WIDEST), low_pass, micrograph.pixel_size)


class _Curves:
    """A few curves of one micrograph."""

    _COLOURS = (theme.BLUE, theme.ORANGE, theme.GREEN)

    def __init__(self, title: str, across: str, labels: tuple[str, ...], empty: str) -> None:
        self._labels = labels
        self._x, self._y = bqplot.LinearScale(min=0, max=1), bqplot.LinearScale(min=0, max=1)
        self._across, self._up = axis(self._x, across, grid_lines="none"), axis(self._y, "", side="left")
        self._lines = bqplot.Lines(
            x=[0.0],
            y=[[0.0]] * len(labels),
            scales={"x": self._x, "y": self._y},
            colors=list(self._COLOURS[: len(labels)]),
            stroke_width=1.4,
        )
        self._plot = Plot(title, empty, [self._lines], [self._across, self._up])
        self.widget = self._plot.widget

    def update(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> None:
        """Draw curves; y has shape (curves, points)."""
        is_there = x.size > 1 and bool(np.isfinite(y).any())
        self._plot.reveal(filled=is_there)
        if not is_there:
            return
        low, high = float(np.nanmin(y)), float(np.nanmax(y))
        margin = 0.05 * (high - low) or 0.5
        for scale, ticks, first, last in (
            (self._x, self._across, float(x[0]), float(x[-1])),
            (self._y, self._up, low - margin, high + margin),
        ):
            with scale.hold_sync():
                scale.min, scale.max = first, last
            with ticks.hold_sync():
                ticks.tick_values, ticks.tick_format = number_ticks(first, last)
        with self._lines.hold_sync():
            self._lines.x, self._lines.y = x.astype(np.float32), y.astype(np.float32)
        keys = zip(self._labels, self._COLOURS, strict=False)
        self._plot.legend(
            "".join(f'<span><i style="background: {colour}"></i>{label}</span>' for label, colour in keys)
        )


def _profile(view: View, ctf: Ctf | None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Frequency (1/Å), shape (n,), and spectrum, fit and agreement, shape (3, n); empty where there is none."""
    nothing = np.empty(0), np.empty((3, 0))
    if ctf is None or ctf.profile is None:
        return nothing
    try:
        table = read_star(view.session.file(ctf.profile))["profile"]
    except (EmlabError, KeyError):
        return nothing
    columns = [np.asarray(table[name], float) for name in ("frequency", "spectrum", "model", "agreement")]
    return columns[0], np.stack(columns[1:])
