"""Code that does what a button does, to be copied into a notebook."""

from __future__ import annotations

from pathlib import Path

import anywidget
import traitlets


class Code(anywidget.AnyWidget):
    """Lines of code with a button that copies them; nothing while there are none."""

    _esm = Path(__file__).with_suffix(".js").read_text("utf-8")

    text = traitlets.Unicode().tag(sync=True)

    def __init__(self) -> None:
        super().__init__()
        self.add_class("emlab-code")
