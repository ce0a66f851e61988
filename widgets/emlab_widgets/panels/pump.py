"""The thread that keeps a page up to date."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from emlab.session import Session
from emlab_widgets.panels.pulse import Pulse

PERIOD = 0.5
"""Seconds between two frames, at least."""
REFRESH = 5.0
"""Seconds after which a frame is drawn though nothing was recorded: rates and times left change by themselves."""
PATIENCE = 30.0
"""Seconds that a frame may take to be drawn before the next one is sent all the same."""


class Pump:
    """Draws a frame when something was recorded and a page is there that has drawn the one before.

    Parameters
    ----------
    draw
        Called with whether something was recorded.
    """

    def __init__(self, session: Session, pulse: Pulse, draw: Callable[[bool], None]) -> None:
        self._session = session
        self._pulse = pulse
        self._draw = draw
        self._thread = threading.Thread(target=self._run, name="emlab monitor", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def _run(self) -> None:
        drawn_at = time.monotonic()
        while True:
            self._pulse.wait_for_page()
            recorded = self._session.wait(PERIOD)
            if recorded or time.monotonic() - drawn_at > REFRESH:
                self._draw(recorded)
                self._pulse.wait_until_drawn(PATIENCE)
                drawn_at = time.monotonic()
                time.sleep(PERIOD)
