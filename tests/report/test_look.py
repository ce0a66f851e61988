"""A facility's folder changes the report's logo, style and notebook, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from emlab.errors import ParameterError
from emlab.report import TEMPLATE_VARIABLE, notebook, read_look


@pytest.fixture
def facility(tmp_path: Path) -> Path:
    folder = tmp_path / "facility"
    folder.mkdir()
    (folder / "logo.svg").write_text("<svg/>")
    return folder


def test_without_a_folder_the_report_is_emlab_s_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(TEMPLATE_VARIABLE, raising=False)
    look = read_look()
    assert (look.notebook, look.logo, look.style) == (notebook("report"), None, "")


def test_a_folder_gives_what_it_has(facility: Path) -> None:
    look = read_look(facility)
    assert look.logo == "data:image/svg+xml;base64,PHN2Zy8+"
    assert look.notebook == notebook("report")
    (facility / "report.ipynb").write_text("{}")
    (facility / "style.css").write_text("h1 { color: teal; }")
    look = read_look(facility)
    assert look.notebook == facility / "report.ipynb"
    assert look.style == "h1 { color: teal; }"


def test_the_environment_names_the_folder_where_nothing_else_does(
    facility: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(TEMPLATE_VARIABLE, str(facility))
    assert read_look().logo is not None
    with pytest.raises(
        ParameterError, match=r"not a report template: it contains none of report.ipynb, style.css, logo"
    ):
        read_look(tmp_path)
