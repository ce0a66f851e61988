"""The launch form's widgets, without a browser: they show what the model says, and call it."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from emlab_widgets.form.lookout import seen
from emlab_widgets.form.memory import Memory
from emlab_widgets.form.model import LaunchModel
from emlab_widgets.form.sessions_list import sessions_list
from emlab_widgets.form.view import LaunchView

from emlab.formats.mrc import write_mrc_movie
from emlab.session import Session
from emlab.sets import schema


@pytest.fixture
def view(tmp_path: Path) -> LaunchView:
    return LaunchView(LaunchModel(tmp_path / "sessions", memory=Memory(tmp_path / "launch.json")), pause=0)


@pytest.fixture
def movies(tmp_path: Path) -> Path:
    write_mrc_movie(tmp_path / "movie_1.mrcs", np.ones((3, 32, 48), np.uint8), 1.2)
    return tmp_path


def typed(view: LaunchView, name: str, value: Any) -> str:
    """Answer a question, and give what stands below it."""
    row = view._rows[name]
    row._input.value = value
    return str(row._notes.value)


def look(view: LaunchView) -> None:
    for told in seen(view._model):
        view._noted(told)


def test_an_untouched_form_is_calm_and_says_why_it_cannot_start(view: LaunchView) -> None:
    assert "emlab-wrong" not in "".join(row._notes.value for row in view._rows.values())
    assert "Movie folder: Give a folder." in view._blockers.value
    assert view._start.disabled


def test_what_is_typed_is_kept_before_typing_pauses(tmp_path: Path) -> None:
    async def kept() -> dict[str, Any]:
        view = LaunchView(LaunchModel(tmp_path / "sessions", memory=Memory(tmp_path / "launch.json")), pause=60)
        typed(view, "voltage", "300")
        view._name.value = "grid 1"
        return dict(json.loads(view._browser.kept))

    # In a thread of its own: where a browser was driven before, this one's event loop runs already.
    with ThreadPoolExecutor(1) as thread:
        draft = thread.submit(asyncio.run, kept()).result()
    assert draft["name"] == "grid 1"
    assert list(draft["answers"].values()) == ["300"]


def test_whoever_is_told_of_alarms_is_ticked_and_kept(book: Path, tmp_path: Path) -> None:
    book.write_text("night = json://secret\n")
    view = LaunchView(LaunchModel(tmp_path, memory=Memory(tmp_path / "launch.json")), pause=0)
    box = view._told._boxes["night"]
    assert (box.description, box.value) == ("Send alarms to night", False)
    box.value = True
    assert json.loads(view._browser.kept)["told"] == ["night"]
    again = LaunchView(LaunchModel(tmp_path, memory=Memory(tmp_path / "launch.json")), pause=0)
    again._browser.found = view._browser.kept
    assert again._told._boxes["night"].value


def test_what_is_wrong_stands_below_its_field_and_goes_away(view: LaunchView) -> None:
    assert "It must be at least 10 and at most 3,000 kV." in typed(view, "voltage", "3")
    assert "Voltage: It must be" in view._blockers.value
    assert typed(view, "voltage", "300") == ""


def test_the_folders_content_is_shown_and_what_its_files_tell(view: LaunchView, movies: Path) -> None:
    typed(view, "movies", str(movies))
    look(view)
    assert "1 movie, newest" in view._rows["movies"]._notes.value
    assert ">the file&#x27;s header</span>; type" in view._rows["pixel_size"]._notes.value
    assert view._rows["pixel_size"]._input.placeholder == "1.2"
    assert "No file states it; give a value." in view._rows["voltage"]._notes.value
    assert typed(view, "voltage", "300") == ""
    assert not view._start.disabled
    assert view._blockers.value == ""
    assert "The file&#x27;s header states 1.2 Å" in typed(view, "pixel_size", "2")


def test_a_folder_that_is_not_there_is_said(view: LaunchView, tmp_path: Path) -> None:
    typed(view, "movies", str(tmp_path / "none"))
    look(view)
    assert "There is no such folder." in view._rows["movies"]._notes.value


def test_a_question_appears_when_another_is_answered(view: LaunchView) -> None:
    assert view._rows["gain_flip"].widget.layout.display == "none"
    typed(view, "gain_reference", "/gain.mrc")
    assert view._rows["gain_flip"].widget.layout.display is None


def test_more_settings_are_folded_away_and_keep_their_answers(view: LaunchView) -> None:
    assert "ctf.max_defocus" not in view._rows
    view._more.click()
    assert "It must be" in typed(view, "ctf.max_defocus", "-1")
    view._more.click()
    assert "Largest defocus: It must be" in view._blockers.value
    view._more.click()
    assert view._rows["ctf.max_defocus"]._input.value == "-1"


def test_a_page_that_is_loaded_again_has_its_answers(view: LaunchView, tmp_path: Path) -> None:
    typed(view, "voltage", "200")
    typed(view, "gain_rotation", "2")
    again = LaunchView(LaunchModel(tmp_path / "sessions", memory=Memory(tmp_path / "launch.json")), pause=0)
    again._browser.found = view._browser.kept
    assert again._rows["voltage"]._input.value == "200"
    assert again._rows["gain_rotation"]._input.value == "2"


def test_start_goes_to_the_live_view_and_the_values_can_be_taken_again(
    view: LaunchView, movies: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Session, "start", lambda session: None)
    gone: list[str] = []
    monkeypatch.setattr(view._browser, "go", gone.append)
    typed(view, "movies", str(movies))
    typed(view, "voltage", "200")
    view._name.value = "grid 1"
    view._start.click()
    assert gone == ["monitor.ipynb?session=grid%201"]
    assert view._browser.kept == ""
    again = LaunchView(LaunchModel(tmp_path / "sessions", memory=Memory(tmp_path / "launch.json")), pause=0)
    assert again._last.description.startswith("Use the values from ")
    again._last.click()
    assert again._rows["voltage"]._input.value == "200"
    assert again._rows["movies"]._input.value == str(movies)


def test_what_stops_the_start_is_said(view: LaunchView, movies: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    typed(view, "movies", str(movies))
    view._start.click()
    assert "The voltage of" in view._rows["voltage"]._notes.value
    assert 'role="alert"' in view._blockers.value
    assert view._start.disabled
    typed(view, "voltage", "200")
    assert not view._start.disabled


def test_a_session_that_cannot_be_read_hides_no_other(invented: Any, tmp_path: Path) -> None:
    view = LaunchView(LaunchModel(tmp_path, memory=Memory(tmp_path / "launch.json")), pause=0)
    (tmp_path / "foreign").mkdir()
    with closing(sqlite3.connect(tmp_path / "foreign" / "session.db")) as foreign:
        foreign.execute(f"PRAGMA user_version = {schema.VERSION}")
    view._lookout._begin()
    assert "Grid &lt;b&gt;7&lt;/b&gt;" in view._sessions.value
    assert "foreign <small>cannot be read: no such table: meta</small>" in view._sessions.value


def test_whatever_happens_to_the_list_of_sessions_is_a_line_on_the_page(
    view: LaunchView, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(folder: Path) -> str:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("emlab_widgets.form.view.sessions_list", break_down)
    view._lookout._begin()
    assert "Input/output error" in view._guard.widget.value


def test_a_folder_that_goes_while_it_is_listed_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "glob", lambda folder, pattern: iter([folder / "gone" / "session.db"]))
    assert sessions_list(tmp_path) == ""
