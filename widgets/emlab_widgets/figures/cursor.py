"""A figure's points one at a time, for the keyboard and for screen readers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget
import traitlets


class Cursor(anywidget.AnyWidget):
    """Lies over a figure, takes the keyboard's focus, and lets the mouse through.

    Parameters
    ----------
    label
        What the points are.
    on_focus
        Called with whether it has the focus now.
    on_key
        Called with the name of an arrow key, ``Home`` or ``End``.
    on_choose
        Called when the point in ``shown`` is chosen.

    Attributes
    ----------
    shown
        The point that it is at: ``text``, ``place``, whether ``chosen``; and the ``count`` of points, 0 for none.
    """

    _esm = Path(__file__).with_suffix(".js").read_text("utf-8")

    label = traitlets.Unicode().tag(sync=True)
    shown: Any = traitlets.Dict({"count": 0}).tag(sync=True)

    def __init__(
        self,
        label: str,
        on_focus: Callable[[bool], None],
        on_key: Callable[[str], None],
        on_choose: Callable[[], None],
    ) -> None:
        self._on_focus, self._on_key, self._on_choose = on_focus, on_key, on_choose
        super().__init__(label=label)
        self.add_class("emlab-cursor")
        self.on_msg(self._heard)

    def _heard(self, _widget: Any, content: dict[str, Any], _buffers: Any) -> None:
        if "focused" in content:
            self._on_focus(content["focused"] is True)
        elif content.get("key") in ("Enter", " "):
            self._on_choose()
        elif "key" in content:
            self._on_key(content["key"])
