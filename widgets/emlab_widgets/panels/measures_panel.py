"""Measures over time, and how they are distributed."""

from __future__ import annotations

from typing import Any, ClassVar

import ipywidgets

from emlab_widgets import measures
from emlab_widgets.figures.distribution import Distribution
from emlab_widgets.figures.timeline import Timeline
from emlab_widgets.measures import Measure, measured, present
from emlab_widgets.panels.view import View


class MeasuresPanel:
    """Timelines of some measures, and histograms of the same."""

    SHOWN: ClassVar[tuple[Measure, ...]]
    SHOWN_IF_PRESENT: ClassVar[tuple[Measure, ...]] = ()

    def __init__(self, view: View) -> None:
        self._view = view
        shown = [*measured(view.session, *self.SHOWN), *present(view.items, *self.SHOWN_IF_PRESENT)]
        self._timeline = Timeline(*shown, on_click=view.guard(view.focus.choose), lock=view.guard.lock)
        self._distributions = [Distribution(measure) for measure in shown]
        distributions = ipywidgets.GridBox([one.widget for one in self._distributions])
        distributions.add_class("emlab-plots")
        self.widget: Any = ipywidgets.VBox([self._timeline.widget, distributions])

    def update(self) -> None:
        """Draw what there is now."""
        limits = self._view.limits
        self._timeline.update(self._view.items, self._view.focus.row, limits)
        for distribution in self._distributions:
            distribution.update(self._view.items, limits)


class CtfPanel(MeasuresPanel):
    """What the CTF tells of each micrograph."""

    SHOWN = (
        measures.DEFOCUS,
        measures.DEFOCUS_V,
        measures.ASTIGMATISM,
        measures.RESOLUTION,
        measures.SCORE,
        measures.ICE,
        measures.PHASE_SHIFT,
    )
    SHOWN_IF_PRESENT = (measures.THICKNESS, measures.TILT)


class MotionPanel(MeasuresPanel):
    """How far specimens moved."""

    SHOWN = (measures.MOTION, measures.EARLY_MOTION, measures.LATE_MOTION, measures.RESIDUAL)


class ParticlesPanel(MeasuresPanel):
    """How many particles were found, and how clearly."""

    SHOWN = (measures.PARTICLES, measures.PICKING_SCORE, measures.EXCLUDED)


class AcquisitionPanel(MeasuresPanel):
    """How the microscope was used."""

    SHOWN = (measures.COUNTS, measures.DOSE, measures.TARGET)
