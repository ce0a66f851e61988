"""Frames are sent only to a page that is there, and one at a time."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from emlab_widgets.panels import pulse, pump
from emlab_widgets.panels.pulse import Pulse
from emlab_widgets.panels.pump import Pump


class Recorded:
    """A session in which something is recorded whenever the test says so."""

    def __init__(self) -> None:
        self.new = threading.Semaphore(0)

    def wait(self, timeout: float) -> bool:
        return self.new.acquire(timeout=timeout)


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Pulse:
    """A page's end of the line; a test plays the browser."""
    monkeypatch.setattr(pump, "PERIOD", 0.001)
    monkeypatch.setattr(pump, "REFRESH", 1e9)
    return Pulse()


def hear(page: Pulse, **content: Any) -> None:
    page._heard(page, content, [])


def test_nothing_is_drawn_before_a_page_is_there_nor_before_it_has_drawn(page: Pulse) -> None:
    session, frames = Recorded(), threading.Semaphore(0)
    drawn = []

    def draw(recorded: bool) -> None:
        drawn.append(recorded)
        frames.release()

    session.new.release()
    Pump(session, page, draw).start()
    assert not frames.acquire(timeout=0.05)
    hear(page, beat=True)
    assert frames.acquire(timeout=5)
    session.new.release()
    hear(page, beat=True)
    assert not frames.acquire(timeout=0.05)
    while not frames.acquire(timeout=0.01):
        hear(page, drawn=True)
    assert drawn == [True, True]


def test_a_silent_page_gets_nothing_until_it_speaks_again(page: Pulse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulse, "ALIVE", -1.0)
    waited = threading.Thread(target=page.wait_for_page, daemon=True)
    hear(page, beat=True)
    waited.start()
    waited.join(0.05)
    assert waited.is_alive()
    monkeypatch.setattr(pulse, "ALIVE", 60.0)
    while waited.is_alive():
        hear(page, beat=True)
        waited.join(0.01)
