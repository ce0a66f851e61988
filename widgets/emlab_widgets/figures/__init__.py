"""Figures of sets, which draw into the same widgets again and again."""

from emlab_widgets.figures.distribution import Distribution
from emlab_widgets.figures.path import path_drawing
from emlab_widgets.figures.timeline import Timeline

__all__ = ["Distribution", "Timeline", "path_drawing"]
