"""The micrograph in focus, beside whatever panel is open."""

from __future__ import annotations

from collections.abc import Callable

import ipywidgets

from emlab_widgets.html import empty
from emlab_widgets.panels.micrograph_view import micrograph_view
from emlab_widgets.panels.view import View


class MicrographPanel:
    """Shows the micrograph in focus at a glance, and lets one go on to others.

    Attributes
    ----------
    widget
        To be displayed.
    """

    def __init__(self, view: View) -> None:
        self._view = view
        self._shown: tuple[int | None, int] | None = None
        focus, guard = view.focus, view.guard
        self._content = ipywidgets.HTML()
        self._previous = _button("‹ Before", guard(lambda _: focus.step(-1)))
        self._next = _button("After ›", guard(lambda _: focus.step(1)))
        self._newest = _button("Follow the newest", guard(lambda _: focus.follow()))
        buttons = ipywidgets.HBox([self._previous, self._next, self._newest])
        buttons.add_class("emlab-buttons")
        self.widget = ipywidgets.VBox([buttons, self._content])
        self.widget.add_class("emlab-viewer")

    def update(self) -> None:
        """Show the micrograph in focus, unless it stands there as it is already."""
        focus, items = self._view.focus, self._view.items
        row = focus.row
        self._previous.disabled = not row
        self._next.disabled = row is None or row == len(items) - 1
        self._newest.disabled = focus.follows
        if row is None:
            self._content.value = (
                '<div class="emlab">'
                f"{empty('Each micrograph appears here with its picture, spectrum and path when it is done.')}</div>"
            )
            return
        records = items.records(row)
        if self._shown == (row, len(records)):
            return
        self._shown = row, len(records)
        self._content.value = (
            f'<div class="emlab">{micrograph_view(self._view.session, items.keys[row], records)}</div>'
        )


def _button(label: str, on_click: Callable[..., None]) -> ipywidgets.Button:
    button = ipywidgets.Button(description=label, layout=ipywidgets.Layout(width="auto"))
    button.on_click(on_click)
    return button
