"""The row of buttons that opens one panel at a time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anywidget
import traitlets


class Tabs(anywidget.AnyWidget):
    """The panels' names, each with a count beside it where there is something to look at.

    Attributes
    ----------
    names, shown
        Of the panels, and which is open.
    badges
        Counts, by name.
    item
        The micrograph that a person has chosen; empty while the newest is followed.
    limits
        Those of the selection that are not applied yet, as `emlab_widgets.panels.draft.Draft` writes them.
    """

    _esm = Path(__file__).with_suffix(".js").read_text("utf-8")

    names: Any = traitlets.List().tag(sync=True)
    shown = traitlets.Unicode().tag(sync=True)
    badges = traitlets.Dict().tag(sync=True)
    item = traitlets.Unicode().tag(sync=True)
    limits = traitlets.Unicode().tag(sync=True)

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(names=list(names), shown=names[0])
