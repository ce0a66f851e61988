"""What a person tells the session as a whole: to pause, to go on, to end."""

from __future__ import annotations

from typing import Any, Final

import ipywidgets

from emlab_widgets.panels.view import View

START: Final = {
    "created": ("Start", "Start watching the folder and processing its files"),
    "paused": ("Continue", "Process the waiting items"),
    "stopped": ("Continue", "Watch the folder again, and finish the remaining items"),
    "finished": ("Look for more", "Watch the folder again, and process files that have come since"),
    "crashed": ("Restart", "Continue where it was: nothing is lost or done twice"),
}
"""What the button is called where the session rests, and what it does."""
PAUSE: Final = ("Pause", "Start nothing new; running items finish, and new files are still noticed")


class Controls:
    """Two buttons, one of which asks before it does what cannot be undone by the next click."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._main = self._button(*PAUSE, self._pause_or_go_on)
        self._end = self._button("End session", "Take no more files, and finish those that came", self._ask)
        self._yes = self._button("Yes, end it", "Take no more files, and finish those that came", self._stop)
        self._no = self._button("No", "Keep the session as it is", self._forget)
        self._question = ipywidgets.HTML('<div class="emlab">Take no more files, and finish those that came?</div>')
        self._is_asking = False
        self.widget: Any = ipywidgets.HBox()
        self.widget.add_class("emlab-buttons")
        self.widget.add_class("emlab-controls")

    def update(self) -> None:
        """Show what can be done now."""
        state = self._view.overview.state
        self._main.description, self._main.tooltip = START.get(state, PAUSE)
        can_end = state in {"running", "paused"} and self._view.overview.arriving
        self._is_asking = self._is_asking and can_end
        asking = (self._question, self._yes, self._no)
        shown = asking if self._is_asking else (self._main, self._end) if can_end else (self._main,)
        if self.widget.children != shown:
            self.widget.children = shown

    def _button(self, description: str, tooltip: str, act: Any) -> ipywidgets.Button:
        button = ipywidgets.Button(description=description, tooltip=tooltip)
        button.on_click(self._view.guard(lambda _: self._do(act)))
        return button

    def _do(self, act: Any) -> None:
        """Do it once, however impatient the person is."""
        for button in (self._main, self._yes):
            button.disabled = True
        try:
            act()
            self._view.update()
            self._view.tell()
        finally:
            for button in (self._main, self._yes):
                button.disabled = False

    def _pause_or_go_on(self) -> None:
        if self._view.overview.state in START:
            self._view.session.start()
        else:
            self._view.session.pause()

    def _ask(self) -> None:
        self._is_asking = True

    def _stop(self) -> None:
        self._is_asking = False
        self._view.session.stop()

    def _forget(self) -> None:
        self._is_asking = False
