"""What matters most, on one page."""

from __future__ import annotations

from typing import Any

import ipywidgets

from emlab.monitors import Stage, duration, number
from emlab_widgets.figures.timeline import Timeline
from emlab_widgets.html import table
from emlab_widgets.measures import ASTIGMATISM, MEAN_DEFOCUS, MOTION, RESOLUTION, measured
from emlab_widgets.panels.view import View

_HEADINGS = ("Step", "Done", "Waiting", "Failed", "Per hour", "Each takes", "Starts after")


class OverviewPanel:
    """The measures that tell whether a session is good, and how far each of its steps is."""

    def __init__(self, view: View) -> None:
        self._view = view
        shown = measured(view.session, RESOLUTION, MEAN_DEFOCUS, MOTION, ASTIGMATISM)
        self._timeline = Timeline(*shown, on_click=view.guard(view.focus.choose), height=176, lock=view.guard.lock)
        self._stages = ipywidgets.HTML()
        self.widget: Any = ipywidgets.VBox([self._timeline.widget, self._stages])

    def update(self) -> None:
        """Draw what there is now."""
        self._timeline.update(self._view.items, self._view.focus.row, self._view.limits)
        rows = [_row(stage) for stage in self._view.overview.stages]
        self._stages.value = f'<div class="emlab"><h2>Steps</h2>{table(_HEADINGS, rows, numbers=range(1, 7))}</div>'


def _row(stage: Stage) -> tuple[str, ...]:
    return (
        stage.name,
        number(stage.done),
        number(stage.waiting),
        number(stage.failed),
        number(stage.rate),
        duration(stage.seconds),
        duration(stage.latency),
    )
