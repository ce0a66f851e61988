"""What the page tells its kernel: that it is there, and that it has drawn what it was sent."""

from __future__ import annotations

import threading
import time
from typing import Any

import anywidget

ALIVE = 10.0
"""Seconds after its last beat during which a page counts as there; a hidden tab beats less often and pauses."""


class Pulse(anywidget.AnyWidget):
    """A page's heartbeat and its acknowledgements; shows only that there is no answer.

    A kernel that sends without end fills a slow or hidden page's queue, and the thread that sends keeps the kernel
    of a closed page from being culled. So nothing is sent to a page that is not there, nor a second frame before
    the first one was drawn.
    """

    _esm = """
    export default {
      render({ model, el }) {
        let heard = new Date();
        // A kernel that is gone for good makes sending an error; that it does not answer tells the same.
        const say = (content) => { try { model.send(content); } catch {} };
        const listen = (message) => {
          heard = new Date();
          if (message.frame) requestAnimationFrame(() => setTimeout(() => say({ drawn: true }), 0));
        };
        const beat = () => {
          const silent = new Date() - heard > 15000;
          el.textContent = silent
            ? `No answer since ${heard.toLocaleTimeString()}: what is shown may be old. Load the page again.`
            : "";
          say({ beat: true });
        };
        el.setAttribute("role", "status");
        model.on("msg:custom", listen);
        const timer = setInterval(beat, 2000);
        // A page that was loaded again has missed the frame that its predecessor owes an answer to.
        say({ drawn: true });
        beat();
        return () => { clearInterval(timer); model.off("msg:custom", listen); };
      },
    };
    """

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
