"""Measures over time, and how they are distributed."""

from __future__ import annotations

from typing import Any

import ipywidgets

from emlab_widgets.figures import Distribution, Timeline
from emlab_widgets.measures import Measure, measured
from emlab_widgets.panels.view import View


class MeasuresPanel:
    """Timelines of some measures, and histograms of the same."""

    def __init__(self, view: View, *measures: Measure, height: int = 200) -> None:
        self._view = view
        shown = measured(view.session, *measures)
        self._timeline = Timeline(*shown, on_click=view.guard(view.focus.choose), height=height)
        self._distributions = [Distribution(measure) for measure in shown]
        distributions = ipywidgets.GridBox([one.widget for one in self._distributions])
        distributions.add_class("emlab-plots")
        self.widget: Any = ipywidgets.VBox([self._timeline.widget, distributions])

    def update(self) -> None:
        """Draw what there is now."""
        self._timeline.update(self._view.items, self._view.focus.row, self._view.limits)
        for distribution in self._distributions:
            distribution.update(self._view.items, self._view.limits)
