"""Notebooks are found, short, and committed without what they showed."""

from __future__ import annotations

import json

import pytest

from emlab.errors import ProgramError
from emlab.report import notebook


@pytest.mark.parametrize("name", ["session", "report", "monitor"])
def test_a_notebook_is_committed_without_outputs_and_is_short(name: str) -> None:
    cells = json.loads(notebook(name).read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    assert sum(len(cell["source"]) for cell in code) < 60


def test_a_notebook_that_is_missing_is_told() -> None:
    with pytest.raises(ProgramError, match="no_such.ipynb is missing"):
        notebook("no_such")
