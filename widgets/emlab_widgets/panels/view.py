"""What the panels of a page share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from emlab.monitors import Events, Items, Overview, Overviewer, selection_rule
from emlab.session import Session
from emlab_widgets.panels.focus import Focus
from emlab_widgets.panels.guard import Guard


class Panel(Protocol):
    """A part of the page that is made when it is first opened, and brought up to date while it is open."""

    widget: Any

    def update(self) -> None:
        """Draw what there is now."""


class View:
    """One session as a page sees it: its items, its overview, and the micrograph in focus.

    Attributes
    ----------
    session, items, overviewer, events
        Read once for all panels.
    overview
        As of the last update.
    focus
        The micrograph that all panels show.
    guard
        Runs callbacks, and shows their errors.
    can_steer
        Whether the page may change the session; a read-only page has no button that would.
    """

    def __init__(self, session: Session, *, can_steer: bool) -> None:
        self.session = session
        self.items = Items(session)
        self.overviewer = Overviewer(session, self.items)
        self.events = Events(session)
        self.focus = Focus(self.items)
        self.guard = Guard()
        self.can_steer = can_steer
        self.overview: Overview = self.overviewer.update()
        self.rule = selection_rule(session)

    def update(self) -> None:
        """Read what is new."""
        if self.items.update():
            self.focus.update()
            self.rule = selection_rule(self.session)
        self.events.update()
        self.overview = self.overviewer.update()

    @property
    def limits(self) -> Mapping[str, Sequence[float]]:
        """The limits of the selection, by measure, in Å and such; those of the mean defocus count for U and V."""
        limits = {} if self.rule is None else self.rule.by_measure
        defocus = limits.get("defocus", [])
        return {**limits, "defocus_u": defocus, "defocus_v": defocus}
