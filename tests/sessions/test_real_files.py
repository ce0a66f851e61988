"""Sessions on reference files run to their reports, and their numbers are those that are known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import emlab
from emlab.model import Ctf, Micrograph

pytestmark = pytest.mark.data


@pytest.fixture(autouse=True)
def runtime_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


def finished(session: emlab.Session, report: bool = True) -> emlab.Session:
    """Run a session to its end, its report included."""
    session.start(gpus="", report_every=3600 if report else 0)
    while session.is_running:
        session.wait(0.5)
    assert session.state == "finished"
    assert [failure.message for failure in session.failures()] == []
    assert [event.message for event in session.events() if event.level != "info"] == []
    return session


def drift(values: Any) -> Any:
    """Shifts without their mean, since a program may choose its zero."""
    return np.asarray(values) - np.mean(values, axis=0)


def check_shifts(micrograph: Micrograph, truth: Any) -> None:
    found = np.stack([micrograph.shift_x, micrograph.shift_y], axis=1)
    rms = np.sqrt(np.mean((drift(found) - drift(truth)) ** 2, axis=0))
    assert rms.max() < 0.5, f"{micrograph.key}: {rms} px RMS along x and y"


def check_defocus(ctf: Ctf, defocus_u: float, defocus_v: float, tolerance: float = 0.015) -> None:
    assert ctf.defocus_u == pytest.approx(defocus_u, rel=tolerance), ctf.key
    assert ctf.defocus_v == pytest.approx(defocus_v, rel=tolerance), ctf.key


def test_tiff_movies_with_gain_and_defects(tmp_path: Path, reference_data: Path, reference_defects: Path) -> None:
    movies = reference_data / "movies"
    session = emlab.create_session(
        tmp_path / "session",
        movies=movies / "session_1k" / "Supervisor_20251003_100000_apoferritin",
        gain_reference=movies / "session_1k" / "gain.tif",
        defects=reference_defects,
        expected_count=4,
    )
    with finished(session):
        assert [run.protocol for run in session.runs] == [
            "import_movies",
            "align_movie",
            "estimate_ctf",
            "select_micrographs",
        ]
        assert {len(session[name]) for name in ("arrivals", "movies", "micrographs", "ctfs")} == {4}
        assert len(session["accepted"]) + len(session["rejected"]) == 4
        for micrograph in session["micrographs"]:
            truth = json.loads((movies / "session_1k_truth" / f"{micrograph.key}.tiff.json").read_text())
            # The truth counts y from the first row of the file, which a TIFF has on top.
            check_shifts(micrograph, np.array(truth["shift_mean_px"]) * (1, -1))
            ctf = session["ctfs"].get(micrograph.key)
            check_defocus(ctf, truth["ctf"]["defocus_u_A"], truth["ctf"]["defocus_v_A"])
            assert micrograph.acquired_at == ctf.acquired_at == session["movies"].get(micrograph.key).acquired_at
            for output in (micrograph.path, micrograph.thumbnail, micrograph.power_spectrum, ctf.picture, ctf.profile):
                assert session.file(output).stat().st_size > 0
        page = (session.path / "report" / "index.html").read_text()
        assert all(micrograph.key in page for micrograph in session["micrographs"])


def test_an_eer_movie_with_its_gain(tmp_path: Path, reference_data: Path) -> None:
    movies = reference_data / "movies"
    truth = json.loads((movies / "movie_eer_1k_truth" / "movie_eer_1k.eer.json").read_text())
    session = emlab.create_session(
        tmp_path / "session",
        movies=movies / "movie_eer_1k",
        pattern="*.eer",
        gain_reference=movies / "movie_eer_1k" / "20251003_100000_EER_GainReference.gain",
        defects=movies / "movie_eer_1k" / "defects.txt",
        pixel_size=truth["pixel_size_A"],
        voltage=300,
        dose_per_frame=truth["dose_per_frame_e_A2"],
        eer_grouping=6,
        expected_count=1,
    )
    with finished(session, report=False):
        (micrograph,) = session["micrographs"]
        assert session["movies"][0].frames == 8
        check_shifts(micrograph, truth["shift_mean_px"])
        # Of 5.6 e/Å² in all one cannot ask for the astigmatism.
        ctf = session["ctfs"][0]
        mean = (truth["ctf"]["defocus_u_A"] + truth["ctf"]["defocus_v_A"]) / 2
        assert (ctf.defocus_u + ctf.defocus_v) / 2 == pytest.approx(mean, rel=0.015)


def test_real_micrographs(tmp_path: Path, reference_data: Path) -> None:
    """CTFFIND 4.1.14 found 10575 and 10476 Å for the first; the others are of about 2 µm."""
    with finished(
        emlab.create_session(
            tmp_path / "fei",
            workflow="micrographs",
            micrographs=reference_data / "micrographs",
            pixel_size=0.8538,
            voltage=300,
            expected_count=1,
        )
    ) as session:
        check_defocus(session["ctfs"][0], 10575, 10476)
        assert session["ctfs"][0].ice_density > 1.1
    with finished(
        emlab.create_session(
            tmp_path / "apoferritin",
            workflow="micrographs",
            micrographs=reference_data / "apoferritin",
            pixel_size=1.5,
            voltage=300,
            expected_count=8,
        )
    ) as session:
        assert all(15_000 < ctf.defocus_v <= ctf.defocus_u < 27_000 for ctf in session["ctfs"])
        assert all(ctf.ctf_resolution < 6 for ctf in session["ctfs"])
        assert (session.path / "report" / "index.html").is_file()
