"""The launch form without widgets: what it asks, what is wrong, what it remembers, what it starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from emlab_widgets.form.memory import Memory
from emlab_widgets.form.model import LaunchModel

from emlab.engine.probe import probe
from emlab.errors import DataError, ParameterError
from emlab.formats.mrc import write_mrc, write_mrc_movie
from emlab.monitors.notices import chosen
from emlab.session import Session


@pytest.fixture
def movies(tmp_path: Path) -> Path:
    folder = tmp_path / "Supervisor monday"
    folder.mkdir()
    write_mrc_movie(folder / "movie_1.mrcs", np.ones((3, 32, 48), np.uint8), 1.2)
    return folder


@pytest.fixture
def model(tmp_path: Path) -> LaunchModel:
    return LaunchModel(tmp_path / "sessions", memory=Memory(tmp_path / "state" / "launch.json"))


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The sessions whose engines would have been started."""
    paths: list[Path] = []
    monkeypatch.setattr(Session, "start", lambda session, **_: paths.append(session.path))
    return paths


def look(model: LaunchModel) -> None:
    wanted = model.to_probe()
    assert wanted is not None
    for told in probe(*wanted):
        model.note(told)


def test_at_first_only_the_folder_is_missing(model: LaunchModel) -> None:
    assert model.source == "screening"
    assert model.blockers == ["Movie folder: Give a folder."]
    assert model.to_probe() is None
    assert model.source_question == "movies"


def test_what_no_file_tells_has_to_be_given(model: LaunchModel, movies: Path) -> None:
    model.answer("movies", str(movies))
    assert model.blockers == []
    look(model)
    assert model.findings is not None
    assert model.blockers == ["Voltage: No file states it; give a value."]
    pixel_size = model.question("pixel_size")
    reading = model.reading(pixel_size)
    assert reading is not None
    assert (reading.value, reading.source) == (pytest.approx(1.2), "the file's header")
    assert model.doubt(pixel_size) == ""
    model.answer("pixel_size", "1.5")
    assert model.doubt(pixel_size) == "The file's header states 1.2 Å; the value here takes precedence."
    model.answer("voltage", "200")
    assert model.blockers == []


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("movies", "data", "Give the full path, starting with /."),
        ("voltage", "3", "It must be at least 10 and at most 3,000 kV."),
        ("pixel_size", "one", "“one” is not a number such as 1.5."),
        ("gain_reference", "/none/gain.mrc", "There is no such file."),
        ("import.deadline", "soon", "“soon” is not a date and time; write it like 2026-11-26 18:30."),
    ],
)
def test_what_is_wrong_is_said_at_its_question(
    model: LaunchModel, movies: Path, name: str, value: str, complaint: str
) -> None:
    model.answer("movies", str(movies))
    model.answer(name, value)
    assert model.complaints == {name: complaint}
    assert model.is_due(model.question(name))


def test_files_that_cannot_be_used_are_told_at_the_folder(model: LaunchModel, tmp_path: Path) -> None:
    (tmp_path / "page.tif").write_bytes(b"%PDF-1.7, an article, say")
    model.answer("movies", str(tmp_path))
    look(model)
    assert "The newest file cannot be used: " in model.complaints["movies"]
    assert "is a PDF document" in model.complaints["movies"]


def test_a_folder_that_is_not_there_is_told_and_forgotten_with_the_next(model: LaunchModel, movies: Path) -> None:
    model.answer("movies", str(movies / "none"))
    with pytest.raises(ParameterError) as refused:
        look(model)
    model.note(str(refused.value))
    assert model.complaints == {"movies": "There is no such folder."}
    model.answer("movies", str(movies))
    assert model.complaints == {}


def test_a_question_that_is_not_asked_neither_counts_nor_is_passed_on(model: LaunchModel, movies: Path) -> None:
    rotation = model.question("gain_rotation")
    assert not model.is_asked(rotation)
    model.answer("movies", str(movies))
    model.answer("gain_rotation", "7")
    assert model.complaints == {}
    write_mrc(movies.parent / "gain.mrc", np.ones((32, 48), np.float32), 1.2)
    model.answer("gain_reference", str(movies.parent / "gain.mrc"))
    assert model.is_asked(rotation)
    assert model.complaints == {"gain_rotation": "It must be at least 0 and at most 3."}


def test_answers_are_kept_when_the_template_changes(model: LaunchModel, movies: Path) -> None:
    model.answer("movies", str(movies))
    model.answer("voltage", "200")
    model.answer("binning", "2")
    model.choose("micrographs")
    assert model.value(model.question("voltage")) == "200"
    assert model.value(model.question("micrographs")) == str(movies)
    model.choose("screening")
    assert model.value(model.question("binning")) == "2"


def test_a_scipion_template_keeps_them_too_and_names_what_differs(tmp_path: Path) -> None:
    template = tmp_path / "krios.json.template"
    template.write_text(
        '[{"object.className": "ProtImportMovies", "object.id": "1", "filesPath": "~Where|/x|2|where~",'
        ' "voltage": ~kV|300|4|volt~}, {"object.className": "SomePlugin", "object.id": "2"}]'
    )
    model = LaunchModel(tmp_path / "sessions", str(template), Memory(tmp_path / "m.json"))
    assert model.source == str(template)
    assert model.workflow.notes[-1] == "SomePlugin is left out: emlab has no such step."
    model.answer("volt", "120")
    model.choose("screening")
    assert model.value(model.question("voltage")) == "120"


def test_a_template_that_cannot_be_used_is_listed_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMLAB_TEMPLATES", str(tmp_path))
    (tmp_path / "broken.json").write_text("{")
    model = LaunchModel(tmp_path / "sessions", memory=Memory(tmp_path / "m.json"))
    assert {choice.source: bool(choice.trouble) for choice in model.choices} == {
        "broken": True,
        "micrographs": False,
        "screening": False,
        "single_particle": False,
    }


def test_a_draft_is_taken_back_and_what_is_none_is_not(model: LaunchModel, movies: Path, tmp_path: Path) -> None:
    model.choose("micrographs")
    model.answer("voltage", "200")
    model.name = "mine"
    other = LaunchModel(tmp_path / "sessions", memory=Memory(tmp_path / "m.json"))
    assert other.restore(model.draft)
    assert (other.source, other.name, other.value(other.question("voltage"))) == ("micrographs", "mine", "200")
    for nonsense in ("", "[]", '{"template": "none", "answers": {}, "name": null}', '{"template": 1}'):
        assert not other.restore(nonsense)
    assert other.source == "micrographs"


def test_a_session_is_named_after_its_folder(model: LaunchModel, movies: Path) -> None:
    assert model.name_complaint == ""
    model.answer("movies", str(movies))
    assert model.name.endswith("-Supervisor_monday")
    (model.sessions / model.name).mkdir(parents=True)
    assert model.name.endswith("-Supervisor_monday-2")


@pytest.mark.parametrize("name", ["", "a/b", "../x", ".hidden", "x" * 200])
def test_a_name_that_is_no_folders_is_refused(model: LaunchModel, name: str) -> None:
    model.name = name
    assert model.name_complaint


def test_starting_creates_the_session_and_remembers_the_answers(
    model: LaunchModel, movies: Path, started: list[Path], tmp_path: Path
) -> None:
    model.answer("movies", str(movies))
    model.answer("voltage", "200")
    model.name = "grid 1"
    said: list[str] = []
    with model.start(said.append) as session:
        assert session.path == tmp_path / "sessions" / "grid 1"
        parameters = session.runs[0].parameters
    assert started == [session.path]
    assert said == ["Checking the files …", "Starting the engine …"]
    assert (parameters["voltage"], parameters["pixel_size"], parameters["folder"]) == (200, None, str(movies))
    again = LaunchModel(tmp_path / "sessions", memory=Memory(tmp_path / "state" / "launch.json"))
    assert again.use_last()
    assert again.value(again.question("voltage")) == "200"
    assert again.name != "grid 1"


def test_who_is_told_of_alarms_is_chosen_by_name_and_no_address_goes_anywhere(
    book: Path, movies: Path, started: list[Path], tmp_path: Path
) -> None:
    pytest.importorskip("apprise", reason="Apprise is not installed (pip install 'emlab[notify]')")
    book.write_text("json://secret-chief\nnight, lab shift = json://secret-night\n")
    model = LaunchModel(tmp_path / "sessions", memory=Memory(tmp_path / "state" / "launch.json"))
    assert model.told.names == ["lab shift", "night"]
    assert model.told.note == "One more address gets the alarms of every session."
    model.answer("movies", str(movies))
    model.answer("voltage", "200")
    model.told.tell("night", is_told=True)
    model.told.tell("lab shift", is_told=True)
    again = LaunchModel(tmp_path / "sessions", memory=Memory(tmp_path / "state" / "launch.json"))
    assert again.restore(model.draft)
    assert again.told.chosen == ["lab shift", "night"]
    again.told.tell("night", is_told=False)
    with again.start() as session:
        assert chosen(session.path) == ["lab shift"]
    assert again.use_last()
    assert again.told.chosen == ["lab shift"]
    written = [path for place in ("sessions", "state") for path in (tmp_path / place).rglob("*") if path.is_file()]
    assert len(written) > 3
    assert [path for path in written if b"secret" in path.read_bytes()] == []
    assert "secret" not in again.draft

    book.write_text("json://secret-chief\njson://secret-desk\n")
    later = LaunchModel(tmp_path / "sessions", memory=Memory(tmp_path / "state" / "launch.json"))
    assert later.use_last()
    assert later.told.chosen == []
    assert later.told.trouble == f"lab shift, chosen before, is no longer in {book} and gets no alarms."
    assert later.told.note == "2 addresses get the alarms of every session."


def test_a_name_that_cannot_be_told_stops_the_start_before_there_is_a_session(
    book: Path, movies: Path, started: list[Path], tmp_path: Path
) -> None:
    pytest.importorskip("apprise", reason="Apprise is not installed (pip install 'emlab[notify]')")
    book.write_text("night = pigeon://secret@roof\n")
    model = LaunchModel(tmp_path / "sessions", memory=Memory(tmp_path / "launch.json"))
    model.answer("movies", str(movies))
    model.answer("voltage", "200")
    model.told.tell("night", is_told=True)
    path = model.path  # once it is there, another is proposed
    with pytest.raises(ParameterError, match="'pigeon' cannot be used"):
        model.start()
    assert (started, path.exists()) == ([], False)


def test_a_book_that_others_can_read_is_told_of_and_stops_nothing(book: Path, tmp_path: Path) -> None:
    book.write_text("night = json://secret\n")
    book.chmod(0o644)
    told = LaunchModel(tmp_path, memory=Memory(tmp_path / "launch.json")).told
    assert (told.names, told.note) == ([], "")
    assert "chmod 600" in told.trouble
    book.unlink()
    assert str(book) in LaunchModel(tmp_path, memory=Memory(tmp_path / "launch.json")).told.note


def test_what_only_the_files_show_is_said_at_its_question(
    model: LaunchModel, movies: Path, started: list[Path]
) -> None:
    write_mrc(movies.parent / "gain.mrc", np.ones((7, 9), np.float32), 1.2)
    values: dict[str, Any] = {"movies": movies, "voltage": 200, "gain_reference": movies.parent / "gain.mrc"}
    for name, value in values.items():
        model.answer(name, str(value))
    with pytest.raises(DataError):
        model.start()
    assert started == []
    assert not (model.sessions / model.name).exists()


def test_nothing_starts_while_something_is_wrong(model: LaunchModel, started: list[Path]) -> None:
    with pytest.raises(ParameterError, match="Movie folder: Give a folder."):
        model.start()
    assert started == []


def test_a_damaged_memory_is_none(tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text("[1]")
    assert Memory(tmp_path / "m.json").last() is None
    assert Memory(tmp_path / "none").last() is None
