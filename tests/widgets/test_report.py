"""The report's sections without a browser: their numbers and their sentences."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest
from emlab_widgets import Report
from emlab_widgets.report import micrograph_table

from emlab.model import Micrograph, Rejected
from emlab.sets import Provenance


def text(section: Any) -> str:
    """What a person reads of a section."""
    return html.unescape(re.sub(r"<[^>]*>", "|", str(section)))


def test_an_empty_session_has_every_section(invented: Any) -> None:
    report = Report(invented.open())
    sections = (
        "header",
        "acquisition",
        "runs",
        "selection",
        "failures",
        "events",
        "micrographs",
        "methods",
        "versions",
    )
    assert all(text(getattr(report, name)()) for name in sections)
    assert "when the first movie has been imported" in text(report.acquisition())


def test_the_settings_of_the_microscope_are_those_of_the_records(invented: Any) -> None:
    invented.add(range(10))
    section = text(Report(invented.open()).acquisition())
    for fact in ("300 kV", "0.8000 Å", "64 × 64 px", "1.50 e/Å²", "4.5 e/Å²", "10 movies in 4 min 30 s, 120 an hour"):
        assert fact in section


def test_limits_are_counted_without_the_micrographs_own_values(invented: Any) -> None:
    invented.add(range(10))
    with invented.ledger.transaction():
        reason = "CTF resolution 12.5 Å is above the limit of 6 Å; Motion is not known, and the limit is 50 Å."
        record = Rejected(key="item_10", micrograph="item_10.mrc", reason=reason)
        invented.ledger.append("rejected", record, Provenance(recorded_at=0.0))
    section = text(Report(invented.open()).selection())
    assert "||CTF resolution above the limit of 6 Å||3||27.3%|" in section.replace("\n", "")
    assert "||Motion is not known, and the limit is 50 Å||1||" in section


def test_runs_have_their_counts_parameters_and_ends(invented: Any) -> None:
    invented.add(range(10))
    invented.fail(11, "align", "no frames")
    invented.end()
    report = Report(invented.open())
    section = text(report.runs())
    assert "||align||align_movie||10||1||" in section
    assert "success: no new file for 60 s" in section
    assert "||threshold||0.5||" in section
    assert "no frames" in text(report.failures())


def test_methods_say_what_was_done_with_the_session_s_numbers(invented: Any) -> None:
    invented.add(range(10))
    section = text(Report(invented.open()).methods())
    assert "10 movies with a pixel size of 0.800 Å were collected at 300 kV, with 4.5 e/Å² in 3 frames." in section
    assert "8 micrographs met the limits" in section


def data_of(section: Any) -> dict[str, Any]:
    found = re.search(r'micrographs-data">(.*?)</script>', str(section), re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def test_the_table_s_data_are_whole_and_cannot_end_their_script(invented: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(micrograph_table, "PICTURES", 4)
    invented.add(range(9), pictures=True)
    evil = "</script><b>"
    with invented.ledger.transaction():
        record = Micrograph(
            key=evil,
            path="m.mrc",
            height=1,
            width=1,
            pixel_size=1.0,
            voltage=300.0,
            spherical_aberration=2.7,
            amplitude_contrast=0.1,
        )
        invented.ledger.append("micrographs", record, Provenance(recorded_at=0.0))
    section = Report(invented.open()).micrographs()
    data = data_of(section)
    assert data["keys"][-1] == evil
    assert str(section).count("</script>") == 2
    titles = [column["title"] for column in data["columns"]]
    assert "Phase shift" not in titles
    resolution = data["values"][titles.index("Resolution")]
    assert resolution[:5] == [3.0, 3.1, 3.2, 3.3, 9.0]
    assert resolution[-1] is None
    assert data["decisions"][4] == "rejected"
    assert sorted(map(int, data["pictures"])) == [0, 4, 8, 9]
    assert data["pictures"]["8"][0].startswith("data:image/jpeg;base64,")
    assert "The pictures of 4 of 10 are in this file." in str(section)


def test_a_session_of_micrographs_has_no_plots_of_motion(invented: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    session = invented.open()
    assert len(Report(session).timelines().charts) == 4
    sets = {name: found for name, found in session.sets.items() if found.kind not in {"movie", "micrograph"}}
    monkeypatch.setattr(type(session), "sets", property(lambda _: sets))
    monkeypatch.setattr(type(session), "runs", property(lambda _: []))
    assert len(Report(session).timelines().charts) == 3
