from __future__ import annotations

from pathlib import Path

import pytest

from emlab.errors import ParameterError
from emlab.model import validated
from emlab.model.watched import WatchedFolder


def test_the_folder_is_made_absolute_where_it_is_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/someone")
    assert validated(WatchedFolder, {"folder": "data/.."}, "x").folder == str(tmp_path)
    assert validated(WatchedFolder, {"folder": "~/data"}, "x").folder == "/home/someone/data"
    again = validated(WatchedFolder, {"folder": "here"}, "x")
    assert validated(WatchedFolder, again.model_dump(mode="json"), "x") == again


def test_patterns_are_separated_by_commas() -> None:
    parameters = validated(WatchedFolder, {"folder": "/a", "pattern": " **/*.tif , ,!**/gain* "}, "x")
    assert parameters.patterns == ("**/*.tif", "!**/gain*")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "folder is missing: The folder that the microscope writes to"),
        ({"folder": " "}, "a path cannot be empty"),
        ({"folder": "/a", "pattern": "!*.tif"}, "no file would be taken; give at least one pattern"),
        ({"folder": "/a", "idle_timeout": 0}, r"idle_timeout is 0 s; input should be greater than 0 s"),
        ({"folder": "/a", "expected_count": 0}, "expected_count is 0"),
        ({"folder": "/a", "deadline": "soon"}, "deadline is 'soon'"),
        ({"folder": "/a", "patern": "*"}, "patern is not a parameter"),
    ],
)
def test_what_cannot_be_used_is_said(values: dict[str, object], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        validated(WatchedFolder, values, "import")
