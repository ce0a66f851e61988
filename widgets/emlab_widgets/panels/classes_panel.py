"""2D classes as they grow."""

from __future__ import annotations

from typing import Any

import ipywidgets

from emlab_widgets.averages import class_sheet
from emlab_widgets.panels.view import View


class ClassesPanel:
    """The newest class averages, the biggest class first."""

    def __init__(self, view: View) -> None:
        self._view = view
        self.widget: Any = ipywidgets.HTML()

    def update(self) -> None:
        """Draw what there is now; a page that has it already is sent nothing."""
        self.widget.value = f'<div class="emlab"><h2>2D classes</h2>{class_sheet(self._view.session)}</div>'
