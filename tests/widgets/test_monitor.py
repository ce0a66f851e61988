"""The live view without a browser: what it draws, what a click shows, what an error looks like."""

from __future__ import annotations

from typing import Any

import pytest
from emlab_widgets.app import READ_ONLY
from emlab_widgets.panels.monitor import Monitor, monitor


@pytest.fixture
def panels(invented: Any) -> Monitor:
    return Monitor(invented.open())


def text_of(panels: Monitor) -> str:
    panels._tabs.shown = "Problems"
    problems = panels._made["Problems"]
    head = panels._head._glance.value + panels._head._pace.value
    return head + panels._micrograph._content.value + problems._failures.value


def test_an_empty_session_says_what_will_appear(panels: Monitor) -> None:
    assert "Waiting for the first file." in text_of(panels)
    assert "Each micrograph appears here" in text_of(panels)
    assert "No failures." in text_of(panels)


def test_what_is_recorded_is_drawn_into_the_same_widgets(invented: Any, panels: Monitor) -> None:
    before = [type(child) for child in panels.widget.children]
    invented.add(range(5), pictures=True)
    invented.fail(7, "align", "no frames")
    panels._update(True)
    assert [type(child) for child in panels.widget.children] == before
    assert "item_4" in text_of(panels)
    assert "Rejected: CTF resolution 9 Å is above the limit of 6 Å." in text_of(panels)
    assert text_of(panels).count("data:image/jpeg;base64,") == 2
    assert "no frames" in text_of(panels)
    assert "Grid &lt;b&gt;7&lt;/b&gt;" in text_of(panels)
    # The failure, and the alarm that nothing has come since 2023.
    assert panels._tabs.badges["Problems"] == 2


def test_a_panel_is_made_when_it_is_opened_and_only_the_open_one_is_drawn(invented: Any, panels: Monitor) -> None:
    assert list(panels._made) == ["Overview"]
    panels._tabs.shown = "Motion"
    assert list(panels._made) == ["Overview", "Motion"]
    assert [panel.widget.layout.display for panel in panels._made.values()] == ["none", None]
    invented.add(range(3))
    panels._update(True)
    assert panels._made["Motion"]._timeline.widget.chosen == 2
    assert panels._made["Overview"]._timeline.widget.chosen == -1
    panels._tabs.shown = "Overview"
    assert panels._made["Overview"]._timeline.widget.chosen == 2


def test_a_click_shows_that_micrograph_and_stays_there_until_told(invented: Any, panels: Monitor) -> None:
    invented.add(range(5))
    panels._update(True)
    chart = panels._made["Overview"]._timeline.widget
    chart._handle_custom_msg({"chosen": 1}, [])
    assert "item_1" in panels._micrograph._content.value
    assert chart.chosen == 1
    invented.add(range(5, 6))
    panels._update(True)
    assert "item_1" in panels._micrograph._content.value
    panels._micrograph._next.click()
    assert "item_2" in panels._micrograph._content.value
    assert chart.chosen == 2
    panels._micrograph._newest.click()
    assert "item_5" in panels._micrograph._content.value
    assert panels._micrograph._newest.disabled
    panels._micrograph._previous.click()
    assert "item_4" in panels._micrograph._content.value


def test_an_error_is_shown_and_goes_away_again(invented: Any, panels: Monitor, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise OSError("the disk is <gone>")

    with monkeypatch.context() as patch:
        patch.setattr(panels.view.overviewer, "update", broken)
        panels._update(True)
    line = panels.view.guard.widget
    assert line.layout.display is None
    assert "the disk is &lt;gone&gt; (OSError)" in line.value
    panels._update(True)
    assert line.layout.display == "none"


def test_a_picture_that_is_gone_is_left_out(invented: Any, panels: Monitor) -> None:
    invented.add(range(1), pictures=True)
    (invented.path / "item_0_thumbnail.jpg").unlink()
    panels._update(True)
    assert text_of(panels).count("data:image/jpeg;base64,") == 1
    assert panels.view.guard.widget.layout.display == "none"


def test_pages_of_a_read_only_server_say_so_and_have_no_button_that_rejects(
    invented: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Monitor, "start", lambda _: None)
    monkeypatch.setenv(READ_ONLY, "1")
    _, head, _, _, body, _ = monitor(invented.open()).children
    assert "Read-only" in head.children[0].value
    assert len(head.children[1].children) == 1
    assert len(body.children[1].children) == 2
    monkeypatch.delenv(READ_ONLY)
    _, head, _, _, body, _ = monitor(invented.open()).children
    assert "Read-only" not in head.children[0].value
    assert [button.description for button in head.children[1].children[1].children] == ["Pause", "End session"]
    assert len(body.children[1].children) == 3
