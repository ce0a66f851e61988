"""A figure in its frame: a heading, a note beside it, and what stands there before the first value."""

from __future__ import annotations

from html import escape
from typing import Any

import bqplot
import ipywidgets

from emlab_widgets import theme


def axis(scale: bqplot.Scale, label: str, side: str = "bottom", **traits: Any) -> bqplot.Axis:
    """Give an axis with its label, in the theme's style."""
    offset = "50px" if side == "left" else "34px"
    return bqplot.Axis(scale=scale, label=label, side=side, label_offset=offset, grid_color=theme.LINE, **traits)


class Plot:
    """A figure in its frame.

    Attributes
    ----------
    widget
        To be displayed.
    """

    def __init__(
        self,
        title: str,
        empty: str,
        marks: list[bqplot.Mark],
        axes: list[bqplot.Axis],
        interaction: bqplot.interacts.Interaction | None = None,
        height: str = theme.PLOT_HEIGHT,
    ) -> None:
        self._title = title
        self._heading = ipywidgets.HTML()
        self._empty = ipywidgets.HTML(f"<p>{escape(empty)}</p>")
        self._empty.add_class("emlab-empty")
        figure = bqplot.Figure(
            marks=marks,
            axes=axes,
            interaction=interaction,
            fig_margin={"top": 8, "bottom": 46, "left": 66, "right": 14},
            background_style={"fill": "transparent"},
            layout=ipywidgets.Layout(width="100%", height=height, min_width="0"),
            animation_duration=0,
            display_toolbar=False,
            padding_x=0,
            padding_y=0,
        )
        self.widget = ipywidgets.VBox([self._heading, figure, self._empty])
        self.widget.add_class("emlab-plot")
        self.annotate("")

    def annotate(self, note: str) -> None:
        """Put a note beside the heading."""
        self._heading.value = f"<h3>{escape(self._title)}</h3><span>{escape(note)}</span>"

    def legend(self, html: str) -> None:
        """Put a legend beside the heading."""
        self._heading.value = f'<h3>{escape(self._title)}</h3><div class="emlab-legend">{html}</div>'

    def reveal(self, *, filled: bool) -> None:
        """Show the figure, or what stands there before the first value."""
        self._empty.layout.display = "none" if filled else None
