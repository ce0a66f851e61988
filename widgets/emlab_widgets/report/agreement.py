"""A measure of one run against that of another, as points around a diagonal."""

from __future__ import annotations

from typing import Any

import bqplot
import numpy as np

from emlab.monitors import Agreement, counted, number, robust_range, thinned
from emlab_widgets import theme
from emlab_widgets.figures.plot import Plot, axis
from emlab_widgets.figures.ticks import number_ticks
from emlab_widgets.measures import Measure

POINTS = 1000
"""How many points the figure draws; each is an element of the page."""


def agreement_figure(measure: Measure, agreement: Agreement, left: str, right: str) -> Any:
    """Give a figure of the common items: where both agree, a point lies on the diagonal."""
    x, y = agreement.left / measure.divisor, agreement.right / measure.divisor
    low, high = robust_range(np.concatenate([x, y]))
    shown = thinned(x.size, POINTS)
    ticks, form = number_ticks(low, high)
    scales = {name: bqplot.LinearScale(min=low, max=high) for name in ("x", "y")}
    diagonal = bqplot.Lines(x=[low, high], y=[low, high], scales=scales, colors=[theme.FAINT], stroke_width=1)
    points = bqplot.Scatter(
        x=np.clip(x[shown], low, high),
        y=np.clip(y[shown], low, high),
        scales=scales,
        colors=[measure.colour],
        default_size=22,
        opacities=[0.75],
        tooltip=bqplot.Tooltip(fields=["x", "y"], formats=[measure.form] * 2, labels=[left, right]),
    )
    axes = [
        axis(scales["x"], f"{left}, {measure.unit}", tick_values=ticks, tick_format=form),
        axis(scales["y"], f"{right}, {measure.unit}", side="left", tick_values=ticks, tick_format=form),
    ]
    plot = Plot(measure.title, "No micrograph has this value on both sides.", [diagonal, points], axes)
    plot.reveal(filled=bool(x.size))
    if x.size:
        shift, spread = (
            number(value / measure.divisor, measure.digits + 1) for value in (agreement.shift, agreement.spread)
        )
        plot.annotate(f"{counted(x.size, 'micrograph')}, difference {shift} ± {spread} {measure.unit}")
    return plot.widget
