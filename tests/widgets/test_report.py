"""The report's sections without a browser: their numbers and their sentences."""

from __future__ import annotations

import html
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from emlab_widgets import Report
from emlab_widgets.report import micrograph_table

from emlab.model import Accepted, Micrograph, Rejected
from emlab.sets import Provenance


def text(section: Any) -> str:
    """What a person reads of a section."""
    return html.unescape(re.sub(r"<[^>]*>", "|", str(section)))


def test_methods_state_the_limit_that_coarse_pixels_let_be_asked_for(invented: Any) -> None:
    with invented.ledger.transaction():
        invented.add_run(
            "select-2",
            "select_micrographs",
            ("micrographs", "ctfs"),
            {"good": "accepted", "bad": "rejected"},
            max_ctf_resolution=8.0,
        )
        for run in ("import", "align", "ctf"):
            invented.append(replace(invented.made(run, 0, False), **({} if run == "ctf" else {"pixel_size": 4.5})))
        invented.record("select", 0, name="good")
    assert "selected with these limits: CTF resolution up to 11.25 Å" in text(Report(invented.open()).methods())


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
    for fact in ("300 kV", "0.8000 Å", "64 × 64 px", "1.50 e/Å²", "4.5 e/Å²", "10 movies in 4 min 30 s, 120 per hour"):
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
    assert (
        "10 movies were collected at 300 kV with a spherical aberration of 2.70 mm and a pixel size of 0.800 Å, "
        "with a total dose of 4.5 e/Å² in 3 frames." in section
    )
    assert "8 of 10 micrographs were kept." in section


@pytest.mark.parametrize(
    ("grouping", "gain", "said"),
    [
        (None, "gain.mrc", "Frames were multiplied by the gain reference."),
        (6, "x.gain", "; frames were multiplied by the gain reference."),
        (6, "Gain.MRC", "; frames were divided by the gain reference."),
    ],
)
def test_methods_say_how_the_gain_was_applied(invented: Any, grouping: int | None, gain: str, said: str) -> None:
    with invented.ledger.transaction():
        movie = replace(invented.made("import", 0, False), eer_grouping=grouping, gain_reference=f"/data/{gain}")
        invented.append(movie)
    assert said in text(Report(invented.open()).methods())


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
    assert data["pictures"]["8"][0].startswith("data:image/webp;base64,")
    assert "The pictures of 4 of 10 micrographs are in this file: the newest" in str(section)


def test_a_session_of_micrographs_has_no_plots_of_motion(invented: Any, invent: Any, tmp_path: Path) -> None:
    class OfMicrographs(invent):
        RUNS = (
            ("import", "import_micrographs", ("arrivals",), {"arrivals": "arrival", "micrographs": "micrograph"}),
            *invent.RUNS[2:],
        )

    assert len(Report(invented.open()).timelines().charts) == 4
    of_micrographs = OfMicrographs(tmp_path / "micrographs")
    assert len(Report(of_micrographs.open()).timelines().charts) == 3
    of_micrographs.close()


def test_what_people_decided_stands_in_table_selection_and_methods(invented: Any) -> None:
    invented.add(range(10))
    with invented.ledger.transaction():
        invented.ledger.add_judgement("item_4", "restored", "good enough", "Ada")
        invented.ledger.add_judgement("item_0", "rejected", "", "<Ada>")
        invented.ledger.add_judgement("item_1", "noted", "a crack", "Ada")
        invented.ledger.add_judgement("item_2", "rejected", "", "Ada")
    report = Report(invented.open())
    data = data_of(report.micrographs())
    assert [data["decisions"][row] for row in (0, 1, 2, 4, 9)] == [
        "rejected",
        "accepted",
        "rejected",
        "accepted",
        "rejected",
    ]
    assert data["notes"]["0"] == "Rejected by hand (<Ada>)."
    assert data["notes"]["4"].endswith("is above the limit of 6 Å. Restored by hand (Ada): good enough")
    assert data["notes"]["1"] == "Note (Ada): a crack"
    assert "7 of 10 micrographs accepted" in text(report.selection()).replace("|", "")
    assert "3 micrographs decided by hand" in text(report.selection())
    assert "7 of 10 micrographs were kept." in text(report.methods())


def test_methods_cite_what_was_run_and_nothing_else(invented: Any) -> None:
    invented.add(range(10))
    section = str(Report(invented.open()).methods())
    assert "dose-weighted<sup>4</sup>" in section
    assert re.findall(r"doi.org/([^\"]+)", section) == [
        "10.1038/nmeth.4193",
        "10.1107/S205225251801463X",
        "10.1038/s41592-019-0580-y",
        "10.7554/eLife.06980",
        "10.1016/j.jsb.2015.08.008",
    ]
    invented.ledger._connection.execute("UPDATE movie SET dose_per_frame = NULL")
    invented.ledger._connection.execute("UPDATE run SET parameters = '{\"binning\": 2}' WHERE name = 'align'")
    section = str(Report(invented.open()).methods())
    assert "eLife" not in section
    assert "2-fold binning to 1.600 Å per pixel" in section


def test_a_report_follows_the_runs_that_led_to_the_newest_selection(invented: Any) -> None:
    invented.add(range(10))
    invented.add_run("trial", "estimate_ctf", ("micrographs",), {"trial": "ctf"})
    with invented.ledger.transaction():
        invented.record("ctf", 3, name="trial")
    data = data_of(Report(invented.open()).micrographs())
    assert sum(value is not None for value in data["values"][1]) == 10


@pytest.fixture
def doubled(invented: Any) -> Any:
    """Two selections of ten items: the second also rejects number 2 and keeps number 4."""
    invented.add(range(10))
    outputs = {"kept": "accepted", "dropped": "rejected"}
    invented.add_run("strict", "select_micrographs", ("micrographs", "ctfs"), outputs)
    with invented.ledger.transaction():
        for number in range(10):
            judged = {"key": f"item_{number}", "micrograph": f"item_{number}.mrc"}
            if number in (2, 9):
                reason = f"Motion of <b>{number}</b> is above the limit."
                invented.ledger.append("dropped", Rejected(reason=reason, **judged), Provenance(recorded_at=0.0))
            else:
                invented.ledger.append("kept", Accepted(reason="Within.", **judged), Provenance(recorded_at=0.0))
    invented.ledger._connection.execute("UPDATE run SET parameters = '{\"max_motion\": 10}' WHERE name = 'strict'")
    return invented


def test_two_selections_are_compared_by_what_only_one_of_them_keeps(doubled: Any) -> None:
    (comparison,) = Report(doubled.open()).comparisons()
    section = text(comparison.summary()).replace("\n", "")
    assert "select and strict, side by side" in section
    assert "Motion up to (Å)||not set||10" in section
    assert re.search(r"Accepted\|+8\|+8\|", section)
    assert "1 micrograph rejected by strict only" in section
    assert "item_2: Motion of <b>2</b> is above the limit." in section
    assert "1 micrograph rejected by select only" in section
    assert "item_4: CTF resolution 9 Å" in section
    assert comparison.figures().children == (), "both have the same CTFs"
    # What is only done anew because the selection changed is no comparison of its own.
    doubled.add_run("pick", "pick_particles", ("accepted", "micrographs", "ctfs"), {"picks": "picks"})
    doubled.add_run("pick-2", "pick_particles", ("kept", "micrographs", "ctfs"), {"picks-2": "picks"})
    assert len(Report(doubled.open()).comparisons()) == 1


def test_two_sessions_are_compared_by_the_micrographs_of_both(invented: Any, invent: Any, tmp_path: Path) -> None:
    invented.add(range(10))
    other = invent(tmp_path / "other")
    other.add(range(5, 15))
    other.ledger._connection.execute("UPDATE ctf SET defocus_u = defocus_u + 50")
    (comparison,) = Report(invented.open(), compare=other.path).comparisons()
    section = text(comparison.summary()).replace("\n", "")
    assert "5 micrographs on both sides" in section
    assert re.search(r"Defocus U, median \(µm\)\|+1\.100\|+1\.045\|+−0\.005 ± 0\.000", section)
    assert re.search(r"Total motion, median \(Å\)\|+[\d.]+\|+[\d.]+\|+the same", section)
    assert "All parameters are the same." in section
    assert len(comparison.figures().children) == 1
    other.close()
