"""The live view of a session."""

from __future__ import annotations

import os
import threading
from typing import Any

import ipywidgets

from emlab.session import Session
from emlab_widgets import theme
from emlab_widgets.app import READ_ONLY
from emlab_widgets.panels.head import Head
from emlab_widgets.panels.micrograph_panel import MicrographPanel
from emlab_widgets.panels.opening import import_panels, made_panel, panels_for
from emlab_widgets.panels.pulse import Pulse
from emlab_widgets.panels.pump import Pump
from emlab_widgets.panels.tabs import Tabs
from emlab_widgets.panels.view import Panel, View


class Monitor:
    """The panels of a session, one of them open; each is made when it is first opened, and nothing is made twice.

    Attributes
    ----------
    widget
        To be displayed.
    """

    def __init__(self, session: Session, *, can_steer: bool = True) -> None:
        self.view = View(session, can_steer=can_steer)
        self._pulse = Pulse()
        self._head = Head(self.view)
        self._tabs = Tabs(panels_for(session))
        self._micrograph = MicrographPanel(self.view)
        self._made: dict[str, Panel] = {}
        self._room = ipywidgets.VBox()
        self._room.add_class("emlab-room")
        body = ipywidgets.Box([self._room, self._micrograph.widget])
        body.add_class("emlab-body")
        self.widget: Any = ipywidgets.VBox(
            [
                ipywidgets.HTML(f"<style>{theme.stylesheet()}</style>"),
                self._head.widget,
                self.view.guard.widget,
                self._tabs,
                body,
                self._pulse,
            ]
        )
        self.widget.add_class("emlab-monitor")
        self._update = self.view.guard(self._draw)
        self._tabs.observe(self.view.guard(lambda _: self._open()), "shown")
        self._tabs.observe(self.view.guard(lambda change: self._go_to(change["new"])), "item")
        self._tabs.observe(self.view.guard(lambda change: self.view.draft.read(change["new"])), "limits")
        self.view.listen(self.view.guard(self._draw_all))
        self.view.draft.listen(self.view.guard(self._draw_draft))
        self.view.focus.listen(self.view.guard(self._draw_focus))
        self.view.guard(self._begin)()

    def start(self) -> None:
        """Draw from now on whatever is recorded, as long as a page shows it."""
        Pump(self.view.session, self._pulse, self._update).start()
        threading.Thread(target=self._prepare, name="emlab panels", daemon=True).start()

    def _prepare(self) -> None:
        self._pulse.wait_for_page()
        import_panels()

    def _begin(self) -> None:
        self._draw(recorded=True)

    def _draw(self, recorded: bool) -> None:
        self.view.update(recorded=recorded)
        if recorded:
            self._micrograph.update()
        self._panel.update()
        self._draw_head()

    def _draw_head(self) -> None:
        self._head.update()
        self._draw_badges()

    def _draw_badges(self) -> None:
        problems = len(self.view.alarms.pressing) + self.view.overview.failed
        self._tabs.badges = {"Problems": problems, "Selection": len(self.view.draft.limits)}

    def _draw_draft(self) -> None:
        self._tabs.limits = self.view.draft.text
        self._draw_badges()

    def _draw_all(self) -> None:
        self._draw_focus()
        self._draw_head()

    def _draw_focus(self) -> None:
        self._tabs.item = self.view.focus.key
        self._micrograph.update()
        self._panel.update()

    def _go_to(self, key: str) -> None:
        """Show the micrograph that the page's address names; one that is not there (any more) is none."""
        row = self.view.items.get(key)
        if key != self.view.focus.key and row is not None:
            self.view.focus.choose(row)

    @property
    def _panel(self) -> Panel:
        """The one that is open."""
        name = self._tabs.shown
        if name not in self._made:
            panel = self._made[name] = made_panel(name, self.view)
            # Before the page makes views of it: bqplot's fail where a mark changes while they are being made.
            panel.update()
            self._room.children = [panel.widget for panel in self._made.values()]
        return self._made[name]

    def _open(self) -> None:
        shown, is_new = self._tabs.shown, self._tabs.shown not in self._made
        opened = self._panel
        if not is_new:
            opened.update()
        self.view.is_large = shown == "Micrograph"
        self._micrograph.update()
        for panel in self._made.values():
            panel.widget.layout.display = None if panel is opened else "none"


def monitor(session: Session, *, can_steer: bool | None = None) -> ipywidgets.Widget:
    """Give live panels of a session, for a JupyterLab cell or a Voila page.

    They go on while a page shows them and rest while none does.

    Parameters
    ----------
    can_steer
        Whether the page has buttons that change the session: to pause or end it, its selection, and what a person
        rejects or notes.
        By default it has, unless the environment has `emlab_widgets.app.READ_ONLY`.
    """
    panels = Monitor(session, can_steer=READ_ONLY not in os.environ if can_steer is None else can_steer)
    panels.start()
    return panels.widget
