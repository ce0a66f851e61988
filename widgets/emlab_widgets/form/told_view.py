"""Who is told of alarms, as checkboxes."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

import ipywidgets

from emlab.monitors.notices import address_book
from emlab_widgets.form.told import Told


class ToldView:
    """A checkbox for each name; a line where there is none.

    Parameters
    ----------
    changed
        Called with a name, and whether it is told now.

    Attributes
    ----------
    widget
        To be displayed.
    """

    def __init__(self, told: Told, changed: Callable[[str, bool], None]) -> None:
        self._told = told
        self._changed = changed
        self._is_showing = False
        self._boxes = {name: self._box(name) for name in told.names}
        self._notes = ipywidgets.HTML()
        help_text = ipywidgets.HTML(
            "<p>Sends each alarm once, and the end of the session, by mail or chat to the addresses that have this "
            f"name in {escape(str(address_book()))}.</p>"
        )
        help_text.add_class("emlab-help")
        self.widget: Any = ipywidgets.VBox([*self._boxes.values(), *([help_text] if self._boxes else []), self._notes])
        self.widget.add_class("emlab-field")
        self.widget.add_class("emlab-told")
        self.show()

    def show(self) -> None:
        """Show the model's choice, whoever made it."""
        self._is_showing = True
        for name, box in self._boxes.items():
            box.value = name in self._told.chosen
        self._is_showing = False
        trouble, note = self._told.trouble, self._told.note
        self._notes.value = (f'<p class="emlab-doubt" role="status">{escape(trouble)}</p>' if trouble else "") + (
            f'<p class="emlab-read">{escape(note)}</p>' if note else ""
        )

    def _box(self, name: str) -> ipywidgets.Checkbox:
        box = ipywidgets.Checkbox(description=f"Send alarms to {name}", indent=False)
        box.observe(lambda change: self._heard(name, change["new"]), "value")
        return box

    def _heard(self, name: str, is_told: bool) -> None:
        if not self._is_showing:
            self._changed(name, is_told)
