"""The report of a session, section by section, as its notebook shows it."""

from __future__ import annotations

import os

import ipywidgets
import pandas as pd

from emlab.monitors import Items, Line, Overviewer, by_measure, in_force, selection_rule
from emlab.session import Session, open_session
from emlab_widgets.averages import class_sheet, makes_classes
from emlab_widgets.failures import events, failures
from emlab_widgets.figures.distribution import Distribution
from emlab_widgets.figures.timeline import Timeline
from emlab_widgets.html import Html
from emlab_widgets.measures import ASTIGMATISM, DEFOCUS, MOTION, PARTICLES, RESOLUTION, measured
from emlab_widgets.report.acquisition import acquisition
from emlab_widgets.report.comparison import SideBySide, sides_by_side
from emlab_widgets.report.header import header
from emlab_widgets.report.methods import methods
from emlab_widgets.report.micrograph_table import micrograph_table
from emlab_widgets.report.runs import runs
from emlab_widgets.report.selection import selection
from emlab_widgets.report.versions import versions

_SHOWN = (DEFOCUS, RESOLUTION, ASTIGMATISM, MOTION, PARTICLES)


class Report:
    """The sections of a session's report, all of the same moment; each can be displayed.

    Parameters
    ----------
    session
        Empty, running or ended.
    compare
        The folder of another session, to be shown beside it.
    """

    def __init__(self, session: Session, compare: str | os.PathLike[str] | None = None) -> None:
        self._session = session
        self._other = open_session(compare) if compare else None
        # Where a session has several runs of a protocol, those that led to the newest selection are shown.
        self._items = Items(Line(session))
        self._items.update()
        overviewer = Overviewer(session, self._items)
        self._overview = overviewer.update()
        self._failures = overviewer.stages.failures
        rule = selection_rule(session)
        self._limits = by_measure(in_force(self._items, rule.limits)) if rule else {}

    def header(self) -> Html:
        """Name, state, dates and counts."""
        return header(self._session, self._items, self._overview)

    def acquisition(self) -> Html:
        """How the microscope was set."""
        return acquisition(self._session, self._items)

    def runs(self) -> Html:
        """What was done, how fast, and what became of it."""
        return runs(self._session, self._overview)

    def timelines(self) -> ipywidgets.Widget:
        """Defocus, resolution, astigmatism, motion and particles over acquisition time."""
        timeline = Timeline(*measured(self._session, *_SHOWN))
        timeline.update(self._items, limits=self._limits)
        return timeline.widget

    def distributions(self) -> ipywidgets.Widget:
        """Histograms of the same."""
        drawn = [Distribution(measure) for measure in measured(self._session, *_SHOWN)]
        for one in drawn:
            one.update(self._items, self._limits)
        grid = ipywidgets.GridBox([one.widget for one in drawn])
        grid.add_class("emlab-plots")
        return grid

    def selection(self) -> Html:
        """What was selected, and why the rest was not."""
        return selection(self._session, self._items)

    def classes(self) -> Html:
        """The views of the particles, under a heading of their own; nothing where there is no step for them."""
        if not makes_classes(self._session):
            return Html("")
        return Html(f'<h2 class="emlab-section">2D classes</h2>{class_sheet(self._session)}')

    def failures(self) -> Html:
        """The items that were given up."""
        return failures(self._failures)

    def events(self) -> Html:
        """Warnings and errors beside them."""
        return events([event for event in self._session.events() if event.level != "info"])

    def micrographs(self) -> Html:
        """Every micrograph with its values and pictures."""
        return micrograph_table(self._session, self._items, self._failures)

    def comparisons(self) -> list[SideBySide]:
        """The session beside another one, and its runs of the same protocol beside each other."""
        return list(sides_by_side(self._session, self._other))

    def table(self) -> pd.DataFrame:
        """The measures of every micrograph as numbers."""
        return self._items.to_dataframe()

    def methods(self) -> Html:
        """A paragraph for a paper."""
        return methods(self._session, self._items)

    def versions(self) -> Html:
        """With what it was done."""
        return versions(self._session)
