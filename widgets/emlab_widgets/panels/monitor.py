"""The live view of a session."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import ipywidgets

from emlab.monitors import Events, Items, Overviewer
from emlab.session import Session
from emlab_widgets import theme
from emlab_widgets.failures import events, failures
from emlab_widgets.figures import Distribution, Timeline
from emlab_widgets.measures import DEFOCUS, MOTION, RESOLUTION, measured
from emlab_widgets.panels.guard import Guard
from emlab_widgets.panels.micrograph_panel import MicrographPanel
from emlab_widgets.panels.pulse import Pulse
from emlab_widgets.panels.pump import Pump
from emlab_widgets.strip import badge, strip


class Monitor:
    """The panels of a session, which `update` draws anew; nothing of it is made twice.

    Attributes
    ----------
    widget
        To be displayed.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._items = Items(session)
        self._overviewer = Overviewer(session, self._items)
        self._events = Events(session)
        self._guard = Guard()
        self._pulse = Pulse()
        self._head = ipywidgets.HTML()
        measures = measured(session, DEFOCUS, RESOLUTION, MOTION)
        self._timelines = [Timeline(measure, self._guard(self._chosen)) for measure in measures]
        self._distributions = [Distribution(measure) for measure in measures]
        self._micrograph = MicrographPanel(session, self._items, self._guard, self._ring)
        self._troubles = ipywidgets.HTML()
        self.widget: Any = ipywidgets.VBox(
            [
                ipywidgets.HTML(f"<style>{theme.stylesheet()}</style>"),
                self._head,
                self._guard.widget,
                _side_by_side(self._timelines),
                _side_by_side(self._distributions),
                self._micrograph.widget,
                self._troubles,
                self._pulse,
            ]
        )
        self.widget.add_class("emlab-monitor")
        self._update = self._guard(self._draw)
        self._update(True)

    def start(self) -> None:
        """Draw from now on whatever is recorded, as long as a page shows it."""
        Pump(self._session, self._pulse, self._update).start()

    def _draw(self, recorded: bool) -> None:
        if recorded and self._items.update():
            self._micrograph.update()
            self._ring()
            for distribution in self._distributions:
                distribution.update(self._items)
        overview = self._overviewer.update()
        name = escape(self._session.name)
        self._head.value = f'<div class="emlab"><h1>{name} {badge(overview.state)}</h1>{strip(overview)}</div>'
        if recorded:
            self._events.update()
            self._troubles.value = self._lists()

    def _lists(self) -> str:
        failed = self._overviewer.stages.failures
        return (
            f'<div class="emlab emlab-lists"><section><h2>Failures</h2>{failures(failed[:20])}</section>'
            f"<section><h2>Events</h2>{events(list(self._events.recent)[-20:])}</section></div>"
        )

    def _chosen(self, row: int) -> None:
        self._micrograph.choose(row)

    def _ring(self) -> None:
        for timeline in self._timelines:
            timeline.update(self._items, self._micrograph.chosen)


def _side_by_side(plots: Sequence[Timeline | Distribution]) -> ipywidgets.Widget:
    box = ipywidgets.GridBox([plot.widget for plot in plots])
    box.add_class("emlab-plots")
    return box


def monitor(session: Session) -> ipywidgets.Widget:
    """Give live panels of a session, for a JupyterLab cell or a Voila page.

    They go on while a page shows them and rest while none does. They only read the session.
    """
    panels = Monitor(session)
    panels.start()
    return panels.widget
