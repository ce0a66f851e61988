"""The notebooks that teach are executed from the first cell to the last, and say what they promise."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from emlab.report import lessons
from emlab.report.execute import execute_notebook

PROMISED = {
    "1_first_session": "Finished: every item is accounted for.",
    "2_sets_as_tables": "micrographs_ctf.star",
    "3_comparing_two_runs": "select and select-2, side by side",
    "4_writing_a_protocol": "is within 0.2.",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lessons")


@pytest.mark.parametrize("lesson", lessons(), ids=lambda path: path.stem)
def test_a_lesson_runs_from_beginning_to_end(lesson: Path, folder: Path) -> None:
    """Each looks at the session that the first one makes: run them in their order."""
    executed = execute_notebook(lesson, folder / "executed" / lesson.name, {"folder": str(folder / "lessons")})
    shown = json.dumps([cell.get("outputs", []) for cell in executed.cells], ensure_ascii=False)
    assert PROMISED[lesson.stem] in shown


@pytest.mark.parametrize("lesson", lessons(), ids=lambda path: path.stem)
def test_a_lesson_is_committed_without_outputs(lesson: Path) -> None:
    cells = json.loads(lesson.read_text(encoding="utf-8"))["cells"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in cells if "outputs" in cell)
