"""2D classes on a page: what is seen of them, and what is said while there are none."""

from __future__ import annotations

import base64
import html
import re
from dataclasses import replace
from typing import Any

import pytest
from emlab_widgets import Report
from emlab_widgets.averages import class_sheet
from emlab_widgets.panels.monitor import Monitor

from emlab.model import Classes
from emlab.monitors import Items, Overviewer
from emlab.sets import Batch
from tests.protocols.test_classify_particles import particles


@pytest.fixture
def classified(invented: Any) -> Any:
    """A session with particles that no batch has yet."""
    with invented.ledger.transaction():
        invented.add_run("extract", "extract_particles", ("micrographs",), {"particles": "particles"})
        invented.add_run("classify", "classify_particles", ("particles",), {"classes": "classes"}, batch_size=1000)
        for number in range(3):
            invented.append(replace(particles(f"m{number}", 100), key=f"item_{number}"))
    return invented


def add_batch(invented: Any, number: int, **changes: Any) -> None:
    values = {
        "averages": "a.mrcs",
        "picture": invented._picture("sheet.jpg", number),
        "assignments": "a.npy",
        "learned": "l.npy",
        "noise": (1.0,),
        "batches": number,
        "count": 1000,
        "total": 1000 * number,
        "box_size": 64,
        "pixel_size": 3.0,
        "diameter": 150.0,
        "shares": (0.2, 0.7, 0.1),
        "sizes": (250.0, 600.0, 150.0),
        "resolutions": (12.0, 9.5, float("nan")),
    }
    with invented.ledger.transaction():
        invented.ledger.add_batch(Batch(run="classify", key=f"batch_{number:04d}", first=number - 1, stop=number))
        invented.append(Classes(key=f"batch_{number:04d}", acquired_at=0.0, **values | changes))


def text(piece: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", "|", piece))


def test_before_the_first_batch_it_says_when_classes_appear(classified: Any) -> None:
    said = class_sheet(classified.open())
    assert "appear after 1,000 extracted particles (300 so far)" in said


def test_the_biggest_class_comes_first_with_its_numbers(classified: Any) -> None:
    add_batch(classified, 1)
    add_batch(classified, 2)
    session = classified.open()
    sheet = class_sheet(session)
    assert "|2,000| particles in 3 classes, after 2 batches; each box is 192 Å wide" in text(sheet)
    figures = re.findall(r"<figure.*?</figure>", sheet)
    assert ["70.0%" in figures[0], "20.0%" in figures[1], "10.0%" in figures[2]] == [True] * 3
    assert "Class 2: 70.0% of the particles, 600 particles so far, 10 Å" in figures[0]
    assert "Class 3: 10.0% of the particles, 150 particles so far, –" in figures[2]
    assert ["--column: 0" in figures[0], "--column: 2" in figures[2]] == [True, True]
    sent = re.search(r"base64,([\w+/=]+)", sheet)
    assert sent is not None
    assert base64.b64decode(sent[1]) == (session.path / "sheet.jpg").read_bytes()


def test_a_warning_is_shown_as_text(classified: Any) -> None:
    add_batch(classified, 1, warning="No class <b>shows</b> anything")
    assert "No class &lt;b&gt;shows&lt;/b&gt; anything" in class_sheet(classified.open())


def test_a_picture_that_is_gone_is_told_of(classified: Any) -> None:
    add_batch(classified, 1, picture="gone.jpg")
    assert "missing from the session: gone.jpg" in class_sheet(classified.open())


def test_the_panel_is_there_where_a_step_makes_classes(invented: Any, classified: Any) -> None:
    monitor = Monitor(classified.open())
    monitor._tabs.shown = "2D classes"
    assert "300 so far" in monitor._panel.widget.value
    add_batch(classified, 1)
    monitor._panel.update()
    assert "after 1 batch;" in monitor._panel.widget.value


def test_a_session_without_the_step_has_neither_panel_nor_section(invented: Any) -> None:
    session = invented.open()
    assert "2D classes" not in Monitor(session)._tabs.names
    assert str(Report(session).classes()) == ""


def test_the_report_shows_them_and_cites_the_method(classified: Any) -> None:
    classified.add(range(3))
    add_batch(classified, 1)
    report = Report(classified.open())
    assert ">2D classes</h2>" in str(report.classes())
    assert "In batches of 1,000, as they came, they were classified into at most 20" in text(str(report.methods()))
    assert "10.1042/BCJ20210708" in str(report.methods())


def test_particles_that_are_gathered_for_a_batch_are_not_behind(classified: Any) -> None:
    classified.add(range(3))
    session = classified.open()
    items = Items(session)
    items.update()
    overview = Overviewer(session, items).update()
    assert [(stage.name, stage.done, stage.waiting) for stage in overview.stages[-2:]] == [
        ("extract", 3, 0),
        ("classify", 0, 3),
    ]
    assert overview.waiting == 0
