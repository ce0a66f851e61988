"""Templates in Scipion's syntax: every trap of it is read correctly or refused with a sentence."""

from __future__ import annotations

import json
from typing import Any

import pytest

from emlab.errors import WorkflowError
from emlab.workflow.text import open_text


def opened(text: str) -> tuple[Any, dict[str, Any], tuple[str, ...]]:
    """What is in the JSON, (label, kind, default) of each field, and the notes."""
    found = open_text(text, "t.json.template")
    fields = {name: (field.asked.label, field.asked.kind, field.asked.default) for name, field in found.fields.items()}
    return found.placed(json.loads(found.json)), fields, found.notes


@pytest.mark.parametrize(
    ("field", "name", "expected"),
    [
        ("~Voltage|300|4|volt~", "volt", ("Voltage", "number", 300.0)),
        ("~Voltage|300|4~", "voltage", ("Voltage", "number", 300.0)),
        ("~A|-5|3|a~", "a", ("A", "whole", -5)),
        ("~A||0|a~", "a", ("A", "text", None)),
        ("~A|b|0|a|more|parts~", "a", ("A", "text", "b")),
        ("~Missing type|3~", "missing_type", ("Missing type", None, "3")),
        ("~Empty type|3||a~", "a", ("Empty type", None, "3")),
        ("~File|/g.mrc|5|g~", "g", ("File", "file", "/g.mrc")),
        ("~Folder|/m|6|m~", "m", ("Folder", "folder", "/m")),
        ("~Home|~/movies|2|m~", "m", ("Home", "folder", "~/movies")),
        ('~Quote|a "b" c|0|q~', "q", ("Quote", "text", 'a "b" c')),
        # 1 and 2 are path and boolean or the reverse, by the version: the default decides.
        ("~P|/m|1|p~", "p", ("P", "folder", "/m")),
        ("~P|/m|2|p~", "p", ("P", "folder", "/m")),
        ("~P|True|1|p~", "p", ("P", "switch", True)),
        ("~P|no|2|p~", "p", ("P", "switch", False)),
        ("~P|0|2|p~", "p", ("P", "switch", False)),
    ],
)
def test_a_field_is_read_quoted_or_not(field: str, name: str, expected: tuple[Any, ...]) -> None:
    for text in (f'[{{"x": {field}, "y": 1}}]', f'[{{"x": "{field}", "y": 1}}]'):
        found, fields, notes = opened(text)
        assert found == [{"x": {"field": name}, "y": 1}]
        assert fields == {name: expected}
        assert notes == ()


def test_fields_may_stand_within_a_text_and_in_lists() -> None:
    found, fields, _ = opened('[{"x": "/data/~Project|p1|0|project~/movies", "y": [~A|1|3|a~, "~B|2|3|b~"]}]')
    assert found[0]["x"] == {"join": ["/data/", {"field": "project"}, "/movies"]}
    assert found[0]["y"] == [{"field": "a"}, {"field": "b"}]
    assert list(fields) == ["project", "a", "b"]


def test_what_stands_before_the_list_is_the_description() -> None:
    found = open_text("Two lines\nof (words.\n[]", "t")
    assert (found.description, found.json, found.skipped) == ("Two lines\nof (words.", "[]", 2)


def test_the_environment_is_filled_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMLAB_TEST_FOLDER", 'a"b\\c')
    monkeypatch.setenv("EMLAB_TEST_NUMBER", "7")
    found, fields, _ = opened(
        '[{"x": "%(EMLAB_TEST_FOLDER)s/m", "y": %(EMLAB_TEST_NUMBER)s, "z": ~Z|%(EMLAB_TEST_NUMBER)s|3|z~}]'
    )
    assert found == [{"x": 'a"b\\c/m', "y": 7, "z": {"field": "z"}}]
    assert fields["z"] == ("Z", "whole", 7)


def test_a_variable_that_is_not_set_leaves_a_default_open_and_is_refused_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("EMLAB_TEST_FOLDER", raising=False)
    _, fields, notes = opened('[{"x": "~Movies|%(EMLAB_TEST_FOLDER)s/m|2|m~"}]')
    assert fields == {"m": ("Movies", "folder", None)}
    assert notes == ("Movies has no default, because it depends on $EMLAB_TEST_FOLDER, which is not set.",)
    with pytest.raises(WorkflowError, match="line 3: the variable EMLAB_TEST_FOLDER is not set in the environment"):
        opened('Words.\n[\n{"x": "%(EMLAB_TEST_FOLDER)s"}]')


def test_a_bare_per_cent_and_a_home_folder_are_what_they_are() -> None:
    found, fields, _ = opened('[{"x": "50 % of 100%%", "y": "~/movies", "z": "a ~ b"}]')
    assert found == [{"x": "50 % of 100%", "y": "~/movies", "z": "a ~ b"}]
    assert fields == {}


def test_the_same_alias_twice_is_asked_once_and_fills_both() -> None:
    found, fields, notes = opened('[{"x": ~A|1|3|a~, "y": ~B|2|3|a~}]')
    assert found == [{"x": {"field": "a"}, "y": {"field": "a"}}]
    assert fields == {"a": ("A", "whole", 1)}
    assert notes == (
        "The field A appears twice, with the defaults 1 and 2; it is asked for once and fills both places.",
    )


def test_the_same_label_twice_is_told_apart_by_the_alias() -> None:
    _, fields, _ = opened('[{"x": ~A|1|3|one~, "y": ~A|2|3|two~}]')
    assert [label for label, *_ in fields.values()] == ["A", "A (two)"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("nothing here", "t.json.template contains no workflow: no line begins with"),
        ('[\n{"x": ~A|1|9|a~}]', r"line 2: the field ~A\|1\|9\|a~ has the type 9; expected"),
        ('[{"x": ~A|1|x|a~}]', "has the type x; expected"),
        ('[{"x": ~A|many|3|a~}]', r"the default of the field ~A\|many\|3\|a~ is not a whole number"),
        ('[{"x": ~A|nan|4|a~}]', "is not a number"),
        ('[{"x": ~A~}]', "line 1: the field ~A~}] cannot be read; expected"),
        ('[{"x": "~A|1~ px"}]', "cannot be read; expected"),
        ('[{"x": ~|1|3|~}]', "has neither a label nor an alias"),
    ],
)
def test_what_cannot_be_read_is_a_sentence(text: str, complaint: str) -> None:
    with pytest.raises(WorkflowError, match=complaint):
        opened(text)
