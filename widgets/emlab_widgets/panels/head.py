"""The top of the page: whose session it is, whether all is well, how far it is."""

from __future__ import annotations

from html import escape

import ipywidgets

from emlab_widgets.panels.view import View
from emlab_widgets.strip import badge, strip


class Head:
    """Name, state, counts and outlook, always in sight."""

    def __init__(self, view: View) -> None:
        self._view = view
        self.widget = ipywidgets.HTML()

    def update(self) -> None:
        """Draw what there is now."""
        view = self._view
        looking = "" if view.can_steer else '<span class="emlab-badge">Read-only</span>'
        title = f"<h1>{escape(view.session.name)} {badge(view.overview.state)}{looking}</h1>"
        self.widget.value = f'<div class="emlab">{title}{strip(view.overview)}</div>'
