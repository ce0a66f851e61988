"""What failed, and what else there is to tell."""

from __future__ import annotations

from typing import Any

import ipywidgets

from emlab_widgets.failures import events, failures
from emlab_widgets.panels.view import View


class ProblemsPanel:
    """Failures and events, the newest first."""

    def __init__(self, view: View) -> None:
        self._view = view
        self.widget: Any = ipywidgets.HTML()

    def update(self) -> None:
        """Draw what there is now."""
        failed = self._view.overviewer.stages.failures
        self.widget.value = (
            f'<div class="emlab emlab-lists"><section><h2>Failures</h2>{failures(failed)}</section>'
            f"<section><h2>Events</h2>{events(list(self._view.events.recent))}</section></div>"
        )
