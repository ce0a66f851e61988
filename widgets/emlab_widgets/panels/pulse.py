"""What the page tells its kernel: that it is there, and that it has drawn what it was sent."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import anywidget

ALIVE = 10.0
"""Seconds after its last beat during which a page counts as there; a hidden tab beats less often and pauses."""


class Pulse(anywidget.AnyWidget):
    """A page's heartbeat and its acknowledgements; shows only that there is no answer.

    A page whose kernel has ended while it slept is loaded again by itself, which loses nothing.

    A kernel that sends without end fills a slow or hidden page's queue, and the thread that sends keeps the kernel
    of a closed page from being culled. So nothing is sent to a page that is not there, nor a second frame before
    the first one was drawn.
    """

    _esm = Path(__file__).with_suffix(".js").read_text("utf-8")

    def __init__(self) -> None:
        super().__init__()
        self.add_class("emlab-pulse")
        self._beat_at = -ALIVE
        self._beaten = threading.Event()
        self._drawn = threading.Event()
        self.on_msg(self._heard)

    def wait_for_page(self) -> None:
        """Return when a page is there."""
        while time.monotonic() - self._beat_at > ALIVE:
            self._beaten.clear()
            self._beaten.wait()

    def wait_until_drawn(self, timeout: float) -> bool:
        """Ask the page to say when it has drawn what it was sent before, and wait for that."""
        self._drawn.clear()
        self.send({"frame": True})
        return self._drawn.wait(timeout)

    def _heard(self, _widget: Any, content: dict[str, Any], _buffers: Any) -> None:
        self._beat_at = time.monotonic()
        self._beaten.set()
        if "drawn" in content:
            self._drawn.set()
        else:
            self.send({"heard": True})
