"""The top of the page: whose session it is, whether all is well, how far it is."""

from __future__ import annotations

from html import escape
from typing import Any

import ipywidgets

from emlab.monitors import counted
from emlab_widgets.panels.controls import Controls
from emlab_widgets.panels.view import View
from emlab_widgets.strip import badge, pace, strip


class Head:
    """Name, state, one sentence on whether all is well, counts and outlook, and the controls; always in sight."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._glance, self._pace = ipywidgets.HTML(), ipywidgets.HTML()
        self._controls = Controls(view) if view.can_steer else None
        row = ipywidgets.HBox([self._pace, *([self._controls.widget] if self._controls else [])])
        row.add_class("emlab-pace-row")
        self.widget: Any = ipywidgets.VBox([self._glance, row])
        self.widget.add_class("emlab-top")

    def update(self) -> None:
        """Draw what there is now."""
        view = self._view
        looking = "" if view.can_steer else ' <span class="emlab-badge">Read-only</span>'
        title = f"<h1>{escape(view.session.name)} {badge(view.overview.state)}{looking}</h1>"
        self._glance.value = (
            f'<div class="emlab"><div class="emlab-head">{title}{self._light()}</div>{strip(view.overview)}</div>'
        )
        self._pace.value = f'<div class="emlab">{pace(view.overview)}</div>'
        if self._controls is not None:
            self._controls.update()

    def _light(self) -> str:
        """Give the first thing to look at: a sentence in the colour of what is worst."""
        pressing, known = self._view.alarms.pressing, self._view.alarms.active
        if not pressing:
            failed = self._view.overview.failed
            well = f"No alarm; {counted(failed, 'item')} failed" if failed else "All is well"
            sentence = f"{counted(len(known), 'alarm')}, acknowledged" if known else well
            if not len(self._view.items):
                sentence = "No data yet"
            return f'<p class="emlab-light emlab-well" role="status"><i></i>{sentence}</p>'
        worst = "error" if any(alarm.level == "error" for alarm in pressing) else "warning"
        rest = f" and {counted(len(pressing) - 1, 'more alarm')}" if len(pressing) > 1 else ""
        first = next(alarm for alarm in pressing if alarm.level == worst)
        return (
            f'<p class="emlab-light emlab-{worst}" role="alert"><i></i><b>{escape(first.name)}</b>'
            f"<span>{escape(first.message)}{rest}</span></p>"
        )
