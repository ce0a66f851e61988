"""The micrograph in focus, beside whatever panel is open."""

from __future__ import annotations

from collections.abc import Callable

import ipywidgets

from emlab_widgets.html import empty
from emlab_widgets.panels.micrograph_view import micrograph_view
from emlab_widgets.panels.view import View

_LOOKED_AT, _PASSING = 512, 256
"""px of the pictures: of a micrograph that a person chose, and of those that come and go."""
_REJECTED = "Tables, exports and reports leave it out; what was already made from it stays, also in the classes."
_RESTORED = "It counts as accepted, and its particles are picked and classified too."


class MicrographPanel:
    """Shows the micrograph in focus at a glance, and lets one go on to others.

    Attributes
    ----------
    widget
        To be displayed.
    """

    def __init__(self, view: View) -> None:
        self._view = view
        self._shown: tuple[int, ...] | None = None
        focus, guard = view.focus, view.guard
        self._content = ipywidgets.HTML()
        self._previous = _button("‹ Previous", guard(lambda _: focus.step(-1)))
        self._next = _button("Next ›", guard(lambda _: focus.step(1)))
        self._newest = _button("Follow the newest", guard(lambda _: focus.follow()))
        buttons = ipywidgets.HBox([self._previous, self._next, self._newest])
        buttons.add_class("emlab-buttons")
        self._why = ipywidgets.Text(placeholder="Reason or note", layout=ipywidgets.Layout(width="auto"))
        self._verdict = _button("Reject", guard(lambda _: self._judge()))
        self._note = _button("Note", guard(lambda _: self._annotate()))
        verdict = ipywidgets.HBox([self._why, self._verdict, self._note])
        verdict.add_class("emlab-judge")
        self.widget = ipywidgets.VBox([buttons, *([verdict] if view.can_steer else []), self._content])
        self.widget.add_class("emlab-viewer")

    def update(self) -> None:
        """Show the micrograph in focus, unless it stands there as it is already."""
        focus, items = self._view.focus, self._view.items
        row = focus.row
        self._previous.disabled = focus.beside(-1) is None
        self._next.disabled = focus.beside(1) is None
        self._newest.disabled = focus.follows
        for widget in (self._why, self._verdict, self._note):
            widget.disabled = row is None
        if row is None:
            self._content.value = (
                '<div class="emlab">'
                f"{empty('Each micrograph appears here with its picture, spectrum and path once processed.')}</div>"
            )
            return
        records, judgements = items.records(row), items.judgements.get(items.keys[row], [])
        width = 0 if self._view.is_large else _PASSING if focus.follows else _LOOKED_AT
        state = (row, len(records), len(judgements), int(items.decision[row]), width)
        if self._shown == state:
            return
        self._shown = state
        decision = str(self._view.items.decisions[row])
        self._verdict.description = "Restore" if decision == "rejected" else "Reject"
        self._verdict.tooltip = _RESTORED if decision == "rejected" else _REJECTED
        html = micrograph_view(self._view.session, items.keys[row], records, decision, judgements, width)
        self._content.value = f'<div class="emlab">{html}</div>'

    def _judge(self) -> None:
        """Reject the micrograph in focus, or restore it."""
        session, row = self._view.session, self._view.focus.row
        if row is None:
            return
        verdict = session.restore if self._view.items.decisions[row] == "rejected" else session.reject
        verdict(self._view.items.keys[row], self._why.value)
        self._take_note()

    def _annotate(self) -> None:
        if (row := self._view.focus.row) is not None and self._why.value.strip():
            self._view.session.annotate(self._view.items.keys[row], self._why.value)
            self._take_note()

    def _take_note(self) -> None:
        self._why.value = ""
        self._view.update()
        self._view.tell()


def _button(label: str, on_click: Callable[..., None]) -> ipywidgets.Button:
    button = ipywidgets.Button(description=label, layout=ipywidgets.Layout(width="auto"))
    button.on_click(on_click)
    return button
