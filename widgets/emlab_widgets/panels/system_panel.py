"""How busy the machine is that computes."""

from __future__ import annotations

from collections import deque
from typing import Any

import bqplot
import ipywidgets
import numpy as np

from emlab.monitors import Load, number
from emlab_widgets import theme
from emlab_widgets.figures.plot import Plot, axis
from emlab_widgets.figures.ticks import number_ticks
from emlab_widgets.html import Html, table
from emlab_widgets.panels.view import View

_SPANS = (-5.0, -10.0, -30.0, -60.0)
"""Minutes that the plots look back, the first that is enough."""
_NOTHING = "appears here a few seconds after the page was opened."


class SystemPanel:
    """Processors, memory, disk, network and graphics cards over the last hour."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._busy = _Lines("Processors and memory", "%", ("Processors", "Memory"), top=100.0)
        self._disk = _Lines("Disk", "MB/s", ("Read", "Written"))
        self._network = _Lines("Network", "MB/s", ("Received", "Sent"))
        self._cards: list[_Lines] = []
        self._now = ipywidgets.HTML()
        self._plots = ipywidgets.GridBox([plot.widget for plot in (self._busy, self._disk, self._network)])
        self._plots.add_class("emlab-plots")
        self.widget: Any = ipywidgets.VBox([self._now, self._plots])

    def update(self) -> None:
        """Draw what there is now."""
        loads = self._view.loads
        if not loads:
            return
        self._now.value = f'<div class="emlab">{_gauges(loads[-1])}</div>'
        minutes = np.array([load.at - loads[-1].at for load in loads]) / 60
        self._busy.update(minutes, [[load.cpu for load in loads], [load.memory for load in loads]])
        self._disk.update(minutes, [[load.read / 1e6 for load in loads], [load.written / 1e6 for load in loads]])
        self._network.update(minutes, [[load.received / 1e6 for load in loads], [load.sent / 1e6 for load in loads]])
        self._draw_cards(minutes, loads)

    def _draw_cards(self, minutes: np.ndarray, loads: deque[Load]) -> None:
        cards = loads[-1].gpus
        if len(cards) != len(self._cards):
            self._cards = [
                _Lines(f"GPU {index}, {card.name}", "%, °C", ("Use", "Memory", "Temperature"), top=100.0)
                for index, card in enumerate(cards)
            ]
            self._plots.children = [plot.widget for plot in (self._busy, *self._cards, self._disk, self._network)]
        for index, plot in enumerate(self._cards):
            seen = [load.gpus[index] if index < len(load.gpus) else None for load in loads]
            values = [(card.use, card.memory, card.temperature) if card else (np.nan,) * 3 for card in seen]
            plot.update(minutes, np.array(values).T)


class _Lines:
    """Some lines over the last hour."""

    _COLOURS = (theme.BLUE, theme.ORANGE, theme.VERMILION)

    def __init__(self, title: str, unit: str, labels: tuple[str, ...], top: float | None = None) -> None:
        self._top = top
        self._labels = labels
        self._x, self._y = bqplot.LinearScale(min=-60, max=0), bqplot.LinearScale(min=0, max=top or 1.0)
        self._time = axis(self._x, "Minutes before now", tick_format="d")
        self._value = axis(self._y, unit, side="left")
        self._lines = bqplot.Lines(
            x=[0.0],
            y=[[0.0]] * len(labels),
            scales={"x": self._x, "y": self._y},
            colors=list(self._COLOURS[: len(labels)]),
            labels=list(labels),
            stroke_width=1.8,
        )
        self._plot = Plot(title, f"It {_NOTHING}", [self._lines], [self._time, self._value])
        self.widget = self._plot.widget

    def update(self, minutes: np.ndarray, values: Any) -> None:
        """Draw each line; values have shape (lines, times)."""
        shown = np.asarray(values, np.float32)
        self._plot.reveal(filled=True)
        earliest = next(span for span in _SPANS if span <= minutes[0] or span == _SPANS[-1])
        self._x.min = earliest
        self._time.tick_values = np.linspace(earliest, 0, 6)
        top = self._top or max(float(np.nanmax(shown)) * 1.1, 1.0)
        self._y.max = top
        self._value.tick_values, self._value.tick_format = number_ticks(0, top)
        with self._lines.hold_sync():
            self._lines.x, self._lines.y = minutes.astype(np.float32), shown
        newest = ((label, value[-1]) for label, value in zip(self._labels, shown, strict=True))
        keys = (
            f'<i style="background: {colour}"></i>{label} {number(float(value), 0 if value >= 10 else 1)}'
            for (label, value), colour in zip(newest, self._COLOURS, strict=False)
        )
        self._plot.legend(" ".join(f"<span>{key}</span>" for key in keys))


def _gauges(load: Load) -> str:
    gib = 2**30
    rows = [
        ("Processors", _gauge(load.cpu, f"{load.cpu:.0f} %")),
        ("Memory", _gauge(load.memory, f"{load.memory_used / gib:,.1f} of {load.memory_size / gib:,.0f} GiB")),
        (
            "Session disk",
            _gauge(
                100 * (1 - load.disk_free / load.disk_size),
                f"{load.disk_free / gib:,.0f} of {load.disk_size / gib:,.0f} GiB free",
            ),
        ),
    ]
    for index, card in enumerate(load.gpus):
        rows.append((f"GPU {index}", _gauge(card.use, f"{card.use:.0f} %, {card.temperature:.0f} °C")))
        rows.append((f"GPU {index} memory", _gauge(card.memory, f"{card.memory:.0f} %")))
    if not load.gpus:
        rows.append(("GPU", Html('<span class="emlab-quiet">none found by the NVIDIA driver</span>')))
    return table(("This machine", "Now"), rows)


def _gauge(percent: float, words: str) -> Html:
    level = "bad" if percent > 95 else "warn" if percent > 85 else "good"
    bar = f'<div class="emlab-gauge emlab-{level}"><div style="width: {min(percent, 100):.0f}%"></div></div>'
    return Html(f'<div class="emlab-gauged">{bar}<span>{words}</span></div>')
