"""Points over acquisition time: what is sent, and that it is only what is new."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from emlab_widgets.figures.chart import Chart
from emlab_widgets.figures.timeline import Timeline
from emlab_widgets.measures import DEFOCUS, MOTION

from emlab.monitors import Items


@pytest.fixture
def items(invented: Any) -> Items:
    return Items(invented.open())


def unpacked(data: bytes, measures: int = 1) -> np.ndarray:
    """Rows as the page gets them: number, time, decision, values."""
    return np.frombuffer(data, np.float32).reshape(-1, 3 + measures)


@pytest.fixture
def patches(monkeypatch: pytest.MonkeyPatch) -> list[np.ndarray]:
    """What was sent after the first time."""
    sent: list[np.ndarray] = []
    monkeypatch.setattr("emlab_widgets.figures.chart.Chart.patch", lambda _, rows: sent.append(rows))
    return sent


def test_values_are_in_the_unit_shown_at_their_acquisition_times(invented: Any, items: Items) -> None:
    invented.add(range(5))
    items.update()
    timeline = Timeline(DEFOCUS, MOTION)
    timeline.update(items, chosen=2, limits={"total_motion": [9.0], "defocus_u": [12_000.0]})
    rows = unpacked(timeline.widget.data, 2)
    assert rows[:, 0].tolist() == [0, 1, 2, 3, 4]
    assert np.diff(rows[:, 1]).tolist() == [30, 30, 30, 30]
    assert rows[:, 2].tolist() == [1, 1, 1, 1, 2]
    assert rows[:, 3] == pytest.approx([1.00, 1.01, 1.02, 1.03, 1.04])
    assert rows[:, 4] == pytest.approx([5, 6, 7, 8, 9])
    assert timeline.widget.chosen == 2
    assert timeline.widget.limits == {"defocus_u": [1.2], "total_motion": [9.0]}


def test_an_update_sends_what_is_new_and_a_page_that_comes_later_gets_all(
    invented: Any, items: Items, patches: list[np.ndarray]
) -> None:
    invented.add(range(1000))
    items.update()
    timeline = Timeline(DEFOCUS)
    timeline.update(items)
    invented.add(range(1000, 1002), until="align")
    items.update()
    timeline.update(items)
    invented.record("ctf", 1000)
    items.update()
    timeline.update(items)
    timeline.update(items)
    assert [rows[:, 0].tolist() for rows in patches] == [[1000, 1001], [1000]]
    assert np.isnan(patches[0][:, 3]).all()
    assert patches[1][0, 3] == pytest.approx(11.0)
    whole = unpacked(timeline.widget.get_state()["data"])
    assert whole.shape == (1002, 4)
    assert whole[1000, 3] == pytest.approx(11.0)


def test_a_click_means_its_row_and_what_is_no_row_means_nothing(items: Items) -> None:
    chosen: list[int] = []
    chart = Timeline(DEFOCUS, on_click=chosen.append).widget
    chart._handle_custom_msg({"chosen": 7}, [])
    chart._handle_custom_msg({"chosen": "7"}, [])
    chart._handle_custom_msg({}, [])
    assert chosen == [7]


def test_another_run_of_the_same_kind_is_drawn_in_place_of_the_old_one(
    invented: Any, items: Items, patches: list[np.ndarray]
) -> None:
    invented.add(range(5))
    items.update()
    timeline = Timeline(DEFOCUS)
    timeline.update(items)
    with invented.ledger.transaction():
        invented.add_run(
            "select-2", "select_micrographs", ("micrographs", "ctfs"), {"good": "accepted", "bad": "rejected"}
        )
        invented.record("select", 4, name="bad")
    items.update()
    timeline.update(items)
    assert patches[0][:, [0, 2]].tolist() == [[0, 0], [1, 0], [2, 0], [3, 0], [4, 2]]


def test_what_a_page_asks_for_is_never_older_than_a_patch_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    lock, value = threading.RLock(), [1.0]
    sent: list[float] = []

    def draw() -> None:
        with lock:
            value[0] += 1
            chart.patch(np.array([[0, 0, 0, value[0]]], np.float32))

    def whole() -> np.ndarray:
        found = np.array([[0, 0, 0, value[0]]], np.float32)
        if asked.is_set() and not drawing.ident:
            drawing.start()
            drawing.join(0.2)  # which it would end in, if it did not wait for what was read here to be sent
        return found

    asked, drawing = threading.Event(), threading.Thread(target=draw)
    chart = Chart([], whole, lock=lock)
    chart.patch(np.array([[0, 0, 0, value[0]]], np.float32))
    monkeypatch.setattr(Chart, "patch", lambda _, rows: sent.append(rows[0, 3]))
    monkeypatch.setattr(Chart, "send_state", lambda chart, key=None: sent.append(unpacked(chart.data)[0, 3]))
    asked.set()
    chart._handle_custom_msg({"fresh": True}, [])
    drawing.join()
    assert sent == [1.0, 2.0]
