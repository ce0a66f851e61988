"""What a form asks follows from the template and the parameters; what is wrong is a sentence at its question."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from emlab.protocols import PROTOCOLS
from emlab.workflow import Question, Workflow, complaints, parse_workflow, questions_of, read_workflow, templates


def screening(**fields: Any) -> Workflow:
    parameters = {"folder": {"field": "movies"}, "voltage": {"field": "voltage"}, "pattern": "*.tiff"}
    steps = [
        {"name": "import", "protocol": "import_movies", "parameters": parameters},
        {"name": "ctf", "protocol": "estimate_ctf"},
    ]
    return parse_workflow(json.dumps({"name": "w", "title": "W", "fields": fields, "protocols": steps}), "w.json")


def asked(workflow: Workflow, name: str) -> Question:
    return next(question for question in questions_of(workflow) if question.name == name)


def test_a_question_is_as_its_parameter_says() -> None:
    voltage = asked(screening(), "voltage")
    described = PROTOCOLS["import_movies"].parameters.model_fields["voltage"]
    assert (voltage.label, voltage.unit, voltage.help) == ("Voltage", "kV", described.description)
    assert (voltage.kind, voltage.limits) == ("number", "at least 10 and at most 3,000")
    assert asked(screening(), "movies").kind == "folder"
    assert asked(screening(), "movies").required
    assert asked(screening(), "import.gain_reference").kind == "file"
    assert asked(screening(), "import.gain_flip").choices[1] == (1, "upside down")
    assert asked(screening(), "import.deadline").kind == "time"
    assert asked(screening(), "ctf.estimate_phase_shift").kind == "switch"


def test_the_template_has_the_last_word() -> None:
    fields = {"label": "High tension", "unit": "kilovolts", "choices": [200, 300], "group": "Scope", "default": 200}
    voltage = asked(screening(voltage={**fields, "help": "Ask Ann.", "advanced": True}), "voltage")
    assert (voltage.label, voltage.unit, voltage.help, voltage.group) == (
        "High tension",
        "kilovolts",
        "Ask Ann.",
        "Scope",
    )
    assert (voltage.kind, voltage.choices) == ("choice", ((200, "200"), (300, "300")))
    assert (voltage.default, voltage.advanced) == (200, True)


def test_what_the_template_leaves_open_is_folded_away_and_what_it_fixes_is_not_asked() -> None:
    names = {question.name: question.advanced for question in questions_of(screening())}
    assert names["ctf.max_defocus"]
    assert "import.pattern" not in names


def test_a_question_depends_on_other_answers() -> None:
    workflow = screening(voltage={"when": {"movies": True}}, movies={"when": {"voltage": [200, 300]}})
    voltage, movies = asked(workflow, "voltage"), asked(workflow, "movies")
    assert [voltage.is_asked({"movies": answer}) for answer in ("/data", "", None)] == [True, False, False]
    assert [movies.is_asked({"voltage": answer}) for answer in ("200", 300, 120)] == [True, True, False]


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({}, {"movies": "Give a folder."}),
        ({"movies": "/d", "voltage": "3"}, {"voltage": "It must be at least 10 and at most 3,000 kV."}),
        ({"movies": "/d", "voltage": "many"}, {"voltage": "“many” is not a number such as 1.5."}),
        (
            {"movies": "/d", "import.eer_grouping": "1.5"},
            {"import.eer_grouping": "“1.5” is not a whole number such as 12."},
        ),
        (
            {"movies": "/d", "import.deadline": "soon"},
            {"import.deadline": "“soon” is not a date and time; write it like 2026-11-26 18:30."},
        ),
        ({"movies": "/d", "ctf.min_defocus": 60_000}, {"ctf.max_defocus": "It must be above min_defocus, 60000 Å."}),
        ({"movies": "/d", "voltage": "200", "import.pixel_size": ""}, {}),
    ],
)
def test_what_is_wrong_is_a_sentence_at_its_question(answers: dict[str, Any], expected: dict[str, str]) -> None:
    assert complaints(screening(), answers) == expected


def test_what_the_template_forbids_is_said_too() -> None:
    workflow = screening(voltage={"le": 200, "unit": "kV"}, movies={"required": True})
    found = complaints(workflow, {"voltage": 300})
    assert found == {"voltage": "It must be at most 200 kV.", "movies": "Give a folder."}


def test_the_template_of_the_readme_opens() -> None:
    text = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    workflow = parse_workflow(text.partition("```json\n")[2].partition("```")[0], "README.md")
    assert complaints(workflow, {"movies": "/data", "gain": "/gain.mrc"}) == {}
    missing = "Give the path of an MRC, TIFF or .gain file."
    assert complaints(workflow, {}) == {"movies": "Give a folder.", "gain": missing}
    assert not asked(workflow, "flip").is_asked({"gain": ""})


@pytest.mark.parametrize("name", templates())
def test_shipped_templates_ask_for_a_folder_first_and_start_with_what_nothing_else_can_tell(name: str) -> None:
    workflow = read_workflow(name)
    questions = questions_of(workflow)
    assert questions[0].kind == "folder"
    told = {"diameter": 150.0} if name == "single_particle" else {}
    assert complaints(workflow, {questions[0].name: "/data", **told}) == {}
    assert complaints(workflow, {}) == {questions[0].name: "Give a folder.", **dict.fromkeys(told, "Give a value.")}
