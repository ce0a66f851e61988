"""Workflows are read, filled and refused with a sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from emlab.errors import ParameterError, WorkflowError
from emlab.workflow import parse_workflow, read_workflow, shipped_workflows

TWO_STEPS = {
    "name": "two",
    "title": "Two steps",
    "protocols": [
        {"name": "import", "protocol": "import_movies", "parameters": {"folder": {"field": "movies"}, "voltage": 200}},
        {"name": "align", "protocol": "align_movie", "parameters": {"binning": {"field": "binning"}}},
    ],
}


def test_fields_are_what_a_person_is_asked() -> None:
    assert parse_workflow(json.dumps(TWO_STEPS), "").fields == {
        "movies": [("import", "folder")],
        "binning": [("align", "binning")],
    }


def test_a_field_fills_its_parameter_and_an_unfilled_one_is_left_to_the_default() -> None:
    filled = parse_workflow(json.dumps(TWO_STEPS), "").filled({"movies": "/data", "align.patches": 5})
    assert filled.protocols[0].parameters == {"folder": "/data", "voltage": 200}
    assert filled.protocols[1].parameters == {"patches": 5}


def test_an_unknown_field_is_refused_with_those_that_exist() -> None:
    with pytest.raises(ParameterError, match=r"'movie' is asked for nowhere.*movies, binning.*import, align"):
        parse_workflow(json.dumps(TWO_STEPS), "").filled({"movie": "/data"})


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "two.json is not JSON: .* in line 1"),
        ("[]", "two.json is not a workflow"),
        (json.dumps({**TWO_STEPS, "color": 1}), "color: Extra inputs are not permitted"),
        (json.dumps({**TWO_STEPS, "protocols": TWO_STEPS["protocols"][:1] * 2}), "two steps have the name import"),  # type: ignore[index]
    ],
)
def test_what_is_no_workflow_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(WorkflowError, match=complaint):
        parse_workflow(text, "two.json")


def test_a_workflow_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(WorkflowError, match=r"no workflow .*nothing.json.*micrographs, screening"):
        read_workflow(tmp_path / "nothing.json")


@pytest.mark.parametrize("name", shipped_workflows())
def test_shipped_workflows_are_called_what_their_files_are_called(name: str) -> None:
    assert read_workflow(name).name == name
