"""The newest micrograph, or the one that was chosen."""

from __future__ import annotations

from collections.abc import Callable

import ipywidgets
import numpy as np

from emlab.monitors import Items
from emlab.session import Session
from emlab_widgets.html import empty
from emlab_widgets.panels.guard import Guard
from emlab_widgets.panels.micrograph_view import micrograph_view


class MicrographPanel:
    """Shows one micrograph, and lets one go on to others.

    Parameters
    ----------
    on_choice
        Called when another one is to be shown, so that the plots ring it.

    Attributes
    ----------
    chosen
        The row shown; ``None`` while there is none.
    widget
        To be displayed.
    """

    def __init__(self, session: Session, items: Items, guard: Guard, on_choice: Callable[[], None]) -> None:
        self._session = session
        self._items = items
        self._on_choice = on_choice
        self._follows = True
        self.chosen: int | None = None
        self._content = ipywidgets.HTML()
        self._previous = _button("‹ Before", guard(lambda _: self._step(-1)))
        self._next = _button("After ›", guard(lambda _: self._step(1)))
        self._newest = _button("Follow the newest", guard(lambda _: self.follow()))
        buttons = ipywidgets.HBox([self._previous, self._next, self._newest])
        buttons.add_class("emlab-buttons")
        self.widget = ipywidgets.VBox([buttons, self._content])
        self.widget.add_class("emlab-viewer")
        self.update()

    def update(self) -> None:
        """Go to the newest micrograph that has been through everything so far, unless another one was chosen."""
        if self._follows:
            self.chosen = self._newest_row()
        self._show()

    def choose(self, row: int) -> None:
        """Show an item, and stay with it."""
        self._follows = False
        self.chosen = row
        self._show()
        self._on_choice()

    def follow(self) -> None:
        """Show the newest one from now on."""
        self._follows = True
        self.update()
        self._on_choice()

    def _step(self, step: int) -> None:
        if self.chosen is not None:
            self.choose(min(max(self.chosen + step, 0), len(self._items) - 1))

    def _newest_row(self) -> int | None:
        for kind in ("ctf", "micrograph", "movie"):
            numbers = self._items[kind]
            if np.isfinite(numbers).any():
                return int(np.nanargmax(numbers))
        return None

    def _show(self) -> None:
        row = self.chosen
        self._previous.disabled = not row
        self._next.disabled = row is None or row == len(self._items) - 1
        self._newest.disabled = self._follows
        if row is None:
            html = empty("Each micrograph appears here with its picture, spectrum and path when it is done.")
        else:
            html = micrograph_view(self._session, self._items.keys[row], self._items.records(row))
        self._content.value = f'<div class="emlab">{html}</div>'


def _button(label: str, on_click: Callable[..., None]) -> ipywidgets.Button:
    button = ipywidgets.Button(description=label, layout=ipywidgets.Layout(width="auto"))
    button.on_click(on_click)
    return button
