"""The panels without a browser: what they send, and that each button calls what a cell could call."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import ipywidgets
import numpy as np
import pytest
from emlab_widgets.figures.cursor import Cursor
from emlab_widgets.panels.gallery_panel import Gallery, GalleryPanel
from emlab_widgets.panels.grid_panel import GridPanel
from emlab_widgets.panels.measures_panel import CtfPanel
from emlab_widgets.panels.micrograph_panel import MicrographPanel
from emlab_widgets.panels.monitor import Monitor
from emlab_widgets.panels.opening import PANELS
from emlab_widgets.panels.problems_panel import ProblemsPanel
from emlab_widgets.panels.selection_panel import SelectionPanel
from emlab_widgets.panels.system_panel import SystemPanel
from emlab_widgets.panels.table_panel import TablePanel
from emlab_widgets.panels.view import View
from emlab_widgets.panels.viewer_panel import Viewer, ViewerPanel

from emlab.formats.mrc import write_mrc
from emlab.formats.star import write_star


@pytest.fixture
def view(invented: Any) -> View:
    invented.add(range(60), pictures=True)
    view = View(invented.open(), can_steer=True)
    view.update()
    return view


def names(table: TablePanel) -> list[str]:
    return [line["cells"][0] for line in table.widget.shown["rows"]]


def test_every_panel_can_be_opened_before_anything_has_come(invented: Any) -> None:
    panels = Monitor(invented.open())
    for name in PANELS:
        panels._tabs.shown = name
        assert panels.view.guard.widget.layout.display == "none", panels.view.guard.widget.value
    assert "No data yet" in panels._head._glance.value


def test_the_table_sorts_searches_and_pages_in_the_kernel(view: View) -> None:
    panel = TablePanel(view)
    panel.update()
    assert names(panel)[:2] == ["item_59", "item_58"]
    assert (len(names(panel)), panel.widget.shown["total"]) == (50, 60)
    panel.widget.asked = {**panel.widget.asked, "page": 1}
    assert names(panel) == [f"item_{number}" for number in range(9, -1, -1)]
    panel.widget.asked = {"query": "rejected", "sort": "resolution", "descending": False, "page": 0}
    assert panel.widget.shown["total"] == 12
    panel.widget.asked = {"query": "resolution<3.05 motion>8", "sort": "motion", "descending": True, "page": 0}
    assert names(panel) == ["item_20", "item_40"]
    panel.widget.asked = {"query": "colour<3", "sort": "motion", "descending": True, "page": 0}
    assert "There is no column" in panel.widget.shown["problem"]
    assert panel.widget.shown["total"] == 60


def test_the_csv_has_the_rows_found_in_full(view: View) -> None:
    panel = TablePanel(view)
    panel.widget.asked = {"query": "item_1", "sort": "name", "descending": False, "page": 0}
    lines = panel.csv().decode().splitlines()
    assert len(lines) == 1 + 11
    assert lines[0].startswith("name,acquired_at,target_defocus")
    assert lines[1].startswith("item_1,")


def test_a_name_in_the_csv_is_no_formula(view: View, monkeypatch: pytest.MonkeyPatch) -> None:
    panel = TablePanel(view)
    whole = view.items.to_dataframe()
    named = whole.set_axis(["=1+1", "-2", "@sum", *whole.index[3:]])
    monkeypatch.setattr(view.items, "to_dataframe", lambda: named)
    lines = panel.csv().decode().splitlines()[1:]
    assert sorted(line.partition(",")[0] for line in lines if not line.startswith("item")) == ["'-2", "'=1+1", "'@sum"]
    assert {line.partition(",")[0] for line in lines if line.startswith("item")} == set(whole.index[3:])


def test_a_thumbnail_is_sent_once_and_again_to_a_page_that_is_loaded_anew(
    view: View, invented: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[list[int]] = []
    monkeypatch.setattr(Gallery, "send", lambda _, content, buffers: sent.append(content["rows"]))
    panel = GalleryPanel(view)
    panel.update()
    assert sent == []
    panel.widget._handle_custom_msg({"fresh": True}, [])
    invented.add(range(60, 61), pictures=True)
    view.update()
    panel.update()
    assert sent == [list(range(59, 11, -1)), [60]]
    panel.widget._handle_custom_msg({"fresh": True}, [])
    assert sent[-1] == list(range(60, 12, -1))
    panel.widget.asked = {"which": "rejected", "sort": "ctf_resolution", "page": 0}
    assert {cell["decision"] for cell in panel.widget.shown["cells"]} == {"rejected"}
    panel.widget._handle_custom_msg({"chosen": 4}, [])
    assert view.focus.row == 4


def test_the_grid_shows_a_median_per_square_and_the_holes_of_the_one_in_focus(view: View) -> None:
    items = view.items
    items["stage_x"][:], items["stage_y"][:] = np.arange(60) // 30 * 2e6, np.arange(60) // 2 % 15 * 3e4
    items["grid_square"][:] = np.arange(60) // 30
    items.names["grid_square"][:] = ["Square 1", "Square 2"]
    items["ctf_resolution"][:] = np.where(np.arange(60) < 30, 3.0, 5.0)
    panel = GridPanel(view)
    panel.update()
    assert panel._squares._points.color.tolist() == [3.0, 5.0]
    assert list(panel._squares._points.names) == ["Square 1", "Square 2"]
    assert panel._holes._points.x.tolist() == [200.0] * 15
    assert panel._squares._ring.x.tolist() == [200.0]
    panel._squares._points._handle_custom_msg({"event": "element_click", "data": {"index": 0}}, [])
    assert panel._holes._points.x.tolist() == [0.0] * 15
    assert panel._squares._ring.x.tolist() == [0.0]
    panel._holes._points._handle_custom_msg({"event": "element_click", "data": {"index": 3}}, [])
    assert view.focus.row == 7


def test_the_grid_is_walked_with_arrow_keys(view: View) -> None:
    def press(cursor: Cursor, *keys: str) -> dict[str, Any]:
        for key in keys:
            cursor._handle_custom_msg({"key": key}, [])
        return cursor.shown

    panel = GridPanel(view)
    view.focus.listen(panel.update)
    panel.update()
    squares, holes = panel._squares._cursor, panel._holes._cursor
    text = "GridSquare_5: CTF resolution 3.5 Å, median of 10 micrographs"
    assert squares.shown == {"text": text, "place": 5, "count": 6, "chosen": True}
    squares._handle_custom_msg({"focused": True}, [])
    assert "GridSquare_5: 3.5 Å, median of 10 micrographs" in panel._squares._plot._heading.value
    assert panel._squares._mark.x.tolist() == [pytest.approx(501.5)]
    moved = press(squares, "ArrowUp", "ArrowLeft", "ArrowLeft")
    assert (moved["place"], moved["chosen"]) == (3, False)
    assert panel._holes._points.x.max() > 500
    assert press(squares, "Enter")["chosen"]
    assert panel._holes._points.x.max() == 303
    squares._handle_custom_msg({"focused": False}, [])
    assert "GridSquare" not in panel._squares._plot._heading.value
    assert panel._squares._mark.x.size == 0
    holes._handle_custom_msg({"focused": True}, [])
    assert press(holes, "Home")["text"] == "item_30: CTF resolution 3.0 Å"
    assert press(holes, "ArrowUp", "ArrowRight", " ")["text"] == "item_36: CTF resolution 3.6 Å"
    assert view.items.keys[view.focus.row] == "item_36"
    assert panel._holes._ring.y.tolist() == panel._holes._mark.y.tolist() == [3.0]
    panel._choice.value = "Total motion"
    assert holes.shown["text"] == "item_36: Total motion 6.0 Å"
    assert view.guard.widget.layout.display == "none", view.guard.widget.value


def test_brushing_tells_how_many_are_kept_and_applying_changes_the_session(
    view: View, invented: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes: list[Any] = []
    monkeypatch.setattr(
        type(view.session), "change", lambda _, step, **limits: [changes.append((step, limits)), "select-2"][1:]
    )
    panel = SelectionPanel(view)
    panel.update()
    assert panel._apply.disabled
    assert "<b>60</b> of 60" in panel._verdict.value
    panel._distributions["ctf_resolution"]._brush.selected = [2.9, 3.35]
    panel._distributions["defocus"]._brush.selected = [1.05, 1.4]
    assert panel.code.endswith('("select", max_ctf_resolution=3.35, min_defocus=10500, max_defocus=14000)')
    exec(panel.code, {})
    assert panel._code.text == panel.code
    assert "<b>13</b> of 60" in panel._verdict.value
    panel._apply.click()
    assert changes == 2 * [("select", {"max_ctf_resolution": 3.35, "min_defocus": 10_500.0, "max_defocus": 14_000.0})]
    assert "select-2" in panel._answer.value
    assert panel._distributions["ctf_resolution"]._brush.selected is None
    with invented.ledger.transaction():
        outputs = {"good": "accepted", "bad": "rejected"}
        invented.add_run("select-2", "select_micrographs", ("micrographs", "ctfs"), outputs, max_ctf_resolution=3.35)
    view.update()
    panel.update()
    assert "<b>24</b> of 60" in panel._verdict.value
    assert panel.limits["max_ctf_resolution"] == 3.35


def test_what_a_person_decides_is_recorded_and_shown_everywhere(view: View, invented: Any) -> None:
    invented.release()
    panel, table = MicrographPanel(view), TablePanel(view)
    view.focus.listen(panel.update)
    view.listen(panel.update)
    view.focus.choose(7)
    panel._why.value = "on <carbon>"
    panel._verdict.click()
    assert view.guard.widget.layout.display == "none", view.guard.widget.value
    assert [(one.key, one.verdict, one.note) for one in view.session.judgements()] == [
        ("item_7", "rejected", "on <carbon>")
    ]
    assert "on &lt;carbon&gt;" in panel._content.value
    assert panel._verdict.description == "Restore"
    assert view.items.decision[7] == 2
    table.widget.asked = {**table.widget.asked, "query": "item_7 rejected"}
    assert names(table) == ["item_7"]
    panel._why.value = "a nice one all the same"
    panel._note.click()
    panel._verdict.click()
    assert view.items.decision[7] == 1
    assert [one.verdict for one in view.session.judgements()] == ["rejected", "noted", "restored"]


def test_limits_can_be_typed(view: View) -> None:
    panel = SelectionPanel(view)
    panel.update()
    resolution, low = (panel._fields._fields[name] for name in ("max_ctf_resolution", "min_defocus"))
    assert (resolution.description, resolution.value) == ("CTF resolution up to (Å)", "")
    assert (low.description, low.value) == ("Defocus from (µm)", "")
    resolution.value = "3,2"
    low.value = "0.5"
    assert view.draft.limits == {"max_ctf_resolution": 3.2, "min_defocus": 5000.0}
    assert "would be kept" in panel._verdict.value
    assert panel.code.endswith('session.change("select", max_ctf_resolution=3.2, min_defocus=5000)')
    low.value = "thin"
    assert "“thin” is not a number" in panel._answer.value
    assert low.value == "0.5"
    resolution.value = low.value = ""
    assert view.draft.limits == {}
    assert panel._apply.disabled
    panel._distributions["defocus"]._brush.selected = [0.4, 2.0]
    assert low.value == "0.4"
    panel._forget()
    assert low.value == ""


def test_limits_that_are_not_applied_stand_in_the_page_s_address_and_come_from_it(invented: Any) -> None:
    invented.add(range(60), pictures=True)
    panels = Monitor(invented.open(), can_steer=False)
    panels._tabs.limits = "max_ctf_resolution=3.2&colour=3&max_motion=nan&min_defocus=low&max_defocus="
    assert panels.view.draft.limits == {"max_ctf_resolution": 3.2, "max_defocus": None}
    assert panels._tabs.badges["Selection"] == 2
    panels._tabs.shown = "Selection"
    selection = panels._made["Selection"]
    assert isinstance(selection, SelectionPanel)
    assert "Not applied yet:</strong> CTF resolution ≤ 3.2 Å.<br>Until then: no limit." in selection._verdict.value
    assert selection._fields._fields["max_ctf_resolution"].value == "3.2"
    assert panels._tabs.limits == "max_ctf_resolution=3.2"  # no limit is what there is
    selection._distributions["defocus"]._brush.selected = [1.05, 1.4]
    assert panels._tabs.limits == "max_ctf_resolution=3.2&min_defocus=10500&max_defocus=14000"
    assert "of 60 would be kept" in selection._distributions["defocus"]._plot._heading.value
    assert "would be" not in selection._distributions["total_motion"]._plot._heading.value
    selection._reset.click()
    assert "would be" not in selection._distributions["defocus"]._plot._heading.value
    assert (panels._tabs.limits, panels._tabs.badges["Selection"]) == ("", 0)
    panels._tabs.limits = "max_motion=7"
    assert "<b>27</b> of 60" in selection._verdict.value
    assert panels.view.guard.widget.layout.display == "none", panels.view.guard.widget.value


def test_a_read_only_page_has_no_button_that_changes_the_session(view: View) -> None:
    view.can_steer = False
    judge = MicrographPanel(view).widget.children
    selection = SelectionPanel(view)
    described = [
        button.description
        for box in (*judge, *selection.widget.children[0].children)
        for button in getattr(box, "children", ())
        if isinstance(button, ipywidgets.Button)
    ]
    assert described == ["‹ Previous", "Next ›", "Follow the newest", "Discard"]


def test_an_alarm_is_shown_until_it_is_known(view: View, invented: Any) -> None:
    view.alarms._free = lambda _: (1, 10**12)
    view.update()
    panel = ProblemsPanel(view)
    panel.update()
    rows = [row.children for row in panel._alarms.children[1:]]
    _, button = next(row for row in rows if "Free some space" in row[0].value)
    invented.release()
    button.click()
    assert view.guard.widget.layout.display == "none", view.guard.widget.value
    assert button.disabled
    assert "Disk" not in {alarm.name for alarm in view.alarms.pressing}
    other = View(view.session, can_steer=False)
    other.alarms._free = view.alarms._free
    other.update()
    assert "Disk" in {alarm.name for alarm in other.alarms.active} - {alarm.name for alarm in other.alarms.pressing}
    looking = ProblemsPanel(other)
    looking.update()
    assert [len(row.children) for row in looking._alarms.children[1:]] == [1] * len(other.alarms.active)
    view.alarms._free = lambda _: (10**12, 10**12)
    view.update()
    panel.update()
    assert not [row for row in panel._alarms.children[1:] if "Free some space" in row.children[0].value]


def test_what_a_step_gave_up_is_tried_again_at_the_press_of_a_button(view: View, invented: Any) -> None:
    invented.fail(61, "align", "the disk was away")
    invented.fail(62, "align", "the disk was away")
    view.update()
    panel = ProblemsPanel(view)
    panel.update()
    (button,) = panel._again.children
    assert button.description == "Retry 2 items of align"
    invented.release()
    button.click()
    assert view.guard.widget.layout.display == "none", view.guard.widget.value
    (retry,) = view.session.retries()
    assert (retry.run, retry.keys) == ("align", ("item_61", "item_62"))
    assert panel._again.children == ()
    assert "No failures" in panel._failures.value
    view.can_steer = False
    invented.fail(63, "align", "the disk was away")
    view.update()
    looking = ProblemsPanel(view)
    looking.update()
    assert "item_63" in looking._failures.value
    assert looking._again.children == ()


def test_the_viewer_sends_the_part_that_is_asked_for(
    view: View, invented: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(Viewer, "send", lambda _, content, buffers: sent.append({**content, "bytes": buffers[0][:2]}))
    panel = ViewerPanel(view)
    panel.update()
    assert sent == []
    panel._viewer._handle_custom_msg({"fresh": True}, [])
    assert sent == [{"base": True, "bytes": b"\xff\xd8"}]
    assert panel._viewer.facts["key"] == "item_59"
    assert "is missing" in panel._viewer.facts["note"]
    ask = {"ask": 3, "region": [16, 8, 48, 80], "width": 100, "low_pass": 0}
    panel._viewer._handle_custom_msg(ask, [])
    assert len(sent) == 1
    write_mrc(invented.path / "item_59.mrc", np.eye(64, dtype=np.float32), 0.8)
    panel._viewer._handle_custom_msg(ask, [])
    assert sent[1] == {"answer": 3, "region": (16, 8, 48, 64), "bytes": b"\xff\xd8"}
    assert view.guard.widget.layout.display == "none"
    assert panel._shifts._lines.y.shape == (2, 3)


def test_the_viewer_gets_the_particles_when_they_come(
    view: View, invented: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[list[float]] = []
    monkeypatch.setattr(
        Viewer, "send", lambda _, content, buffers: sent.append(np.frombuffer(buffers[1], np.float32).tolist())
    )
    panel = ViewerPanel(view)
    view.focus.choose(3)
    panel._viewer._handle_custom_msg({"fresh": True}, [])
    assert sent == [[]]
    assert panel._viewer.facts["count"] == 0
    invented.add_particles(range(60))
    view.update()
    panel.update()
    assert sent[1] == [20.0, 30.0, 40.25, 30.5, 5.0, 60.0]
    assert (panel._viewer.facts["count"], panel._viewer.facts["diameter"]) == (3, 20.0)
    (invented.path / "item_3_picks.npy").unlink()
    panel._viewer._handle_custom_msg({"fresh": True}, [])
    assert sent[2] == []
    assert view.guard.widget.layout.display == "none"


def test_a_session_that_looks_for_particles_shows_how_many(invented: Any) -> None:
    invented.add(range(10), pictures=True)
    assert "Particles" not in Monitor(invented.open())._tabs.names
    invented.add_particles(range(10))
    panels = Monitor(invented.open())
    panels._tabs.shown = "Particles"
    assert panels.view.guard.widget.layout.display == "none", panels.view.guard.widget.value
    assert panels.view.overview.particles == 24
    assert "<b>24</b><small>3 per micrograph" in panels._head._glance.value
    panels.view.focus.choose(2)
    shown = panels._micrograph._content.value
    assert "3 of 16 Å" in shown
    assert "2, 16² px of 1.60 Å; 1 too near the edge" in shown


def test_the_machine_s_load_is_drawn(view: View) -> None:
    panel = SystemPanel(view)
    panel.update()
    assert "GiB free" in panel._now.value
    assert panel._busy._lines.y.size == 2
    assert time.time() - view.loads[-1].at < 60


def test_what_the_ctf_step_was_asked_for_is_shown_where_there_is_any(view: View, invented: Any) -> None:
    table, glance = TablePanel(view), MicrographPanel(view)
    table.update()
    titles = [column["title"] for column in table.widget.shown["columns"]]
    assert not {"Tilt (°)", "Ice thickness (nm)", "Phase shift (°)"} & set(titles)
    write_star(
        invented.path / "local.star",
        {"local_defocus": {"rlnDefocusU": np.array([9000.0, 11000.0]), "rlnDefocusV": np.array([9000.0, 10600.0])}},
    )
    asked = {"tilt_angle": 30.3, "tilt_angle_error": 0.4, "tilt_axis": -85.0, "thickness": 412.0}
    told = {"thickness_error": 15.0, "aliasing_resolution": 2.5, "local_defocus": "local.star", "defocus_error": 12.0}
    invented.add(range(60, 61), until="align")
    with invented.ledger.transaction():
        invented.append(replace(invented.made("ctf", 60, False), **asked, **told))
    view.update()
    view.focus.choose(60)
    glance.update()
    for text in (
        "30.3 ± 0.4° about an axis at -85°",
        "41.2 ± 1.5 nm",
        "0.900 to 1.080 µm, at 2 places",
        "± 0.0012 µm",
        "2.50 Å",
    ):
        assert text in glance._content.value
    table.widget.asked = {**table.widget.asked, "query": "tilt>30 thickness>41"}
    assert [line["cells"][0] for line in table.widget.shown["rows"]] == ["item_60"]
    assert [column["title"] for column in table.widget.shown["columns"]][-2:] == ["Ice thickness (nm)", "Tilt (°)"]
    assert CtfPanel(view)._timeline.widget.charts[-1]["title"] == "Tilt"
