"""Points over time that are many and grow: uPlot and a canvas, fed with what is new only."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import traitlets
from numpy.typing import NDArray

_HERE = Path(__file__).parent
_PROGRAM = (
    "uplot/uPlot.iife.min.js",
    "points/numbers.js",
    "points/store.js",
    "points/cloud.js",
    "points/chart.js",
    "points/panel.js",
)
"""Each uses what stands before; a page loads them as one."""


class Chart(anywidget.AnyWidget):
    """One or more measures over time, one above the other, with one time axis.

    Parameters
    ----------
    charts
        Of each measure: ``name``, ``title``, ``label``, ``unit``, ``digits``, ``colour``, ``empty``, ``trend``, and
        ``height`` (px).
    whole
        Gives every row as `patch` takes them: for a page that comes later, which has seen no patch.
    on_click
        Called with the row of a point that was clicked.
    lock
        Held by whoever changes what `whole` gives and sends patches of it: pages ask for all of it in threads of their
        own, and what was read before a patch must not come after it.
    """

    _esm = "".join((_HERE / name).read_text("utf-8") for name in _PROGRAM)

    charts: Any = traitlets.List().tag(sync=True)
    limits = traitlets.Dict().tag(sync=True)
    origin = traitlets.Float().tag(sync=True)
    chosen = traitlets.Int(-1).tag(sync=True)
    data = traitlets.Bytes().tag(sync=True, to_json=lambda _, chart: chart.packed())

    def __init__(
        self,
        charts: list[dict[str, Any]],
        whole: Callable[[], NDArray[np.float32]],
        on_click: Callable[[int], None] | None = None,
        lock: AbstractContextManager[Any] | None = None,
    ) -> None:
        self._whole = whole
        self._lock = lock or nullcontext()
        self._on_click = on_click
        self._is_patched = False
        super().__init__(charts=charts)
        self.add_class("emlab-timeline")
        self.on_msg(self._heard)

    def packed(self) -> bytes:
        """Give every row, float32, as `patch` takes them."""
        with self._lock:
            return self._whole().tobytes()

    def fill(self, origin: float) -> None:
        """Send everything, with the time (seconds since 1970) that times are relative to."""
        with self._lock, self.hold_sync():
            self.origin = origin
            self.data = self.packed()

    def patch(self, rows: NDArray[np.float32]) -> None:
        """Send rows that are new or have changed.

        Parameters
        ----------
        rows
            Shape (rows, 3 + measures): number of the row, time, decision (0 none, 1 accepted, 2 rejected), values.
        """
        self._is_patched = True
        self.send({}, [np.ascontiguousarray(rows, np.float32).tobytes()])

    def _heard(self, _widget: Any, content: dict[str, Any], _buffers: Any) -> None:
        if self._on_click is not None and isinstance(row := content.get("chosen"), int):
            self._on_click(row)
        elif "fresh" in content and self._is_patched:  # a page that may have missed a patch while it was loading
            self.fill(self.origin)
