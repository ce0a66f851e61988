"""Workflows are read, filled and refused with a sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from emlab.errors import ParameterError, WorkflowError
from emlab.workflow import parse_workflow, read_workflow, templates

TWO_STEPS = {
    "name": "two",
    "title": "Two steps",
    "protocols": [
        {"name": "import", "protocol": "import_movies", "parameters": {"folder": {"field": "movies"}, "voltage": 200}},
        {"name": "align", "protocol": "align_movie", "parameters": {"binning": {"field": "binning"}}},
    ],
}


def test_fields_are_what_a_person_is_asked() -> None:
    places = parse_workflow(json.dumps(TWO_STEPS), "").places
    assert {name: [(step.name, parameter) for step, parameter, _ in filled] for name, filled in places.items()} == {
        "movies": [("import", "folder")],
        "binning": [("align", "binning")],
    }


def test_a_field_fills_its_parameter_and_an_unfilled_one_is_left_to_the_default() -> None:
    filled = parse_workflow(json.dumps(TWO_STEPS), "").filled({"movies": "/data", "align.patches": 5})
    assert filled.protocols[0].parameters == {"folder": "/data", "voltage": 200}
    assert filled.protocols[1].parameters == {"patches": 5}


def test_an_unknown_field_is_refused_with_those_that_exist() -> None:
    with pytest.raises(ParameterError, match=r"'movie' is not a field.*movies, binning.*import, align"):
        parse_workflow(json.dumps(TWO_STEPS), "").filled({"movie": "/data"})


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "two.json is not JSON: .* in line 1"),
        ("3", "two.json is not a workflow"),
        (json.dumps({**TWO_STEPS, "color": 1}), "color: Extra inputs are not permitted"),
        (json.dumps({**TWO_STEPS, "protocols": TWO_STEPS["protocols"][:1] * 2}), "two steps are named import"),  # type: ignore[index]
    ],
)
def test_what_is_no_workflow_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(WorkflowError, match=complaint):
        parse_workflow(text, "two.json")


def test_an_answer_is_turned_into_the_parameters_unit_and_joined_to_a_text() -> None:
    steps = [
        {
            "name": "import",
            "protocol": "import_movies",
            "parameters": {
                "folder": {"join": ["/data/", {"field": "project"}, "/movies"]},
                "pixel_size": {"field": "pixel", "times": 10},
                "dose_per_frame": {"field": "dose", "none": 0},
            },
        }
    ]
    workflow = parse_workflow(json.dumps({**TWO_STEPS, "protocols": steps}), "")
    filled = workflow.filled({"project": "p1", "pixel": "0.085", "dose": "0.0"})
    assert filled.protocols[0].parameters == {"folder": "/data/p1/movies", "pixel_size": pytest.approx(0.85)}
    with pytest.raises(ParameterError, match="pixel is 'small', which is not a number"):
        workflow.filled({"pixel": "small"})


def test_a_default_of_the_template_is_taken_unless_it_is_taken_back() -> None:
    workflow = parse_workflow(json.dumps({**TWO_STEPS, "fields": {"binning": {"default": 2}}}), "")
    assert workflow.filled({}).protocols[1].parameters == {"binning": 2}
    assert workflow.filled({"binning": 4}).protocols[1].parameters == {"binning": 4}
    assert workflow.filled({"binning": None}).protocols[1].parameters == {}


def test_limits_and_choices_of_a_template_are_kept() -> None:
    fields = {"binning": {"le": 2, "unit": "times"}, "movies": {"required": True, "choices": ["/a", "/b"]}}
    workflow = parse_workflow(json.dumps({**TWO_STEPS, "fields": fields}), "")
    with pytest.raises(ParameterError, match=r"binning: It must be at most 2 times. movies: Give a value."):
        workflow.filled({"binning": 3})
    with pytest.raises(ParameterError, match=r"movies: /c is not one of the choices: /a, /b."):
        workflow.filled({"movies": "/c"})


def test_a_facilitys_template_is_found_by_name_and_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMLAB_TEMPLATES", f"{tmp_path / 'none'}:{tmp_path}")
    (tmp_path / "screening.json").write_text(json.dumps(TWO_STEPS))
    (tmp_path / "krios.json.template").write_text('Krios 1.\n[{"object.className": "ProtImportMovies"}]')
    assert read_workflow("screening").name == "two"
    assert read_workflow("krios").description == "Krios 1."
    assert templates()["krios"].origin == str(tmp_path)
    assert templates()["micrographs"].origin == "emlab"


def test_a_workflow_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(WorkflowError, match=r"no workflow .*nothing.json.*micrographs, screening"):
        read_workflow(tmp_path / "nothing.json")


@pytest.mark.parametrize("name", templates())
def test_templates_are_called_what_their_files_are_called(name: str) -> None:
    assert read_workflow(name).name == name


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000])
def test_what_is_nested_without_end_is_refused(text: str) -> None:
    with pytest.raises(WorkflowError, match="deep.json is nested too deeply to be a workflow"):
        parse_workflow(text, "deep.json")
