"""Sessions are created whole or not at all, and refuse what cannot work before anything starts."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import emlab
from emlab.engine import launch
from emlab.engine.options import EngineOptions
from emlab.errors import (
    EngineUnreachable,
    ParameterError,
    SessionDamaged,
    SessionError,
    SessionExists,
    SessionMissing,
    WorkflowError,
)


@pytest.fixture
def movies(tmp_path: Path) -> Path:
    folder = tmp_path / "movies"
    folder.mkdir()
    return folder


def create(tmp_path: Path, movies: Path, **values: object) -> emlab.Session:
    return emlab.create_session(tmp_path / "session", movies=movies, **values)


def test_a_new_session_has_its_runs_and_empty_open_sets(tmp_path: Path, movies: Path) -> None:
    with create(tmp_path, movies, voltage=200, pixel_size=1.1) as session:
        assert session.state == "created"
        assert not session.is_running
        assert [run.name for run in session.runs] == ["import", "align", "ctf", "select"]
        assert session.runs[0].parameters["voltage"] == 200
        assert session.runs[0].parameters["folder"] == str(movies)
        assert all(len(records) == 0 and records.is_open for records in session.sets.values())
        assert repr(session).startswith("<session session, created: 0 arrivals, 0 movies")


def test_it_can_be_opened_from_anywhere_by_path(tmp_path: Path, movies: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    create(tmp_path, movies).close()
    monkeypatch.chdir(tmp_path)
    with emlab.open_session("session") as session:
        assert session.name == "session"
        assert session.workflow.name == "screening"


def test_what_is_there_is_never_overwritten(tmp_path: Path, movies: Path) -> None:
    create(tmp_path, movies).close()
    with pytest.raises(SessionExists, match="is already a session. Open it"):
        create(tmp_path, movies)
    with pytest.raises(SessionExists, match="is not an empty folder"):
        emlab.create_session(tmp_path, movies=movies)


@pytest.mark.parametrize(
    ("values", "error", "complaint"),
    [
        ({"movies": "/nowhere/at/all"}, ParameterError, "There is no folder /nowhere/at/all; only / exists"),
        ({"pixel_size": 0}, ParameterError, "pixel_size is 0 Å; input should be greater than 0 Å"),
        ({"pixel_sice": 1}, ParameterError, "'pixel_sice' is not a field.*pixel_size"),
        ({"gain_reference": "/no/gain.mrc"}, ParameterError, "/no/gain.mrc"),
        ({"workflow": "tomography"}, WorkflowError, "no workflow 'tomography'.*micrographs, screening"),
    ],
)
def test_what_cannot_work_is_refused_and_nothing_is_created(
    tmp_path: Path, movies: Path, values: dict[str, object], error: type[Exception], complaint: str
) -> None:
    with pytest.raises(error, match=complaint):
        create(tmp_path, **{"movies": movies, **values})  # type: ignore[arg-type]
    assert not (tmp_path / "session").exists()


def test_what_is_no_session_is_said(tmp_path: Path) -> None:
    with pytest.raises(SessionMissing, match="There is no .*nothing"):
        emlab.open_session(tmp_path / "nothing")
    with pytest.raises(SessionMissing, match="is not a session: it has no session.db"):
        emlab.open_session(tmp_path)
    (tmp_path / "session.db").write_text("not a database")
    with pytest.raises(SessionDamaged, match="not a database.*emlab repair"):
        emlab.open_session(tmp_path)
    with pytest.raises(SessionError, match="workflow.json.*cannot be read"):
        emlab.repair_session(tmp_path)


def test_unknown_sets_are_named_with_those_that_exist(tmp_path: Path, movies: Path) -> None:
    with create(tmp_path, movies) as session, pytest.raises(SessionError, match="no set 'ctf'; it has: arrivals"):
        session["ctf"]


def test_paths_cannot_leave_the_session(tmp_path: Path, movies: Path) -> None:
    with create(tmp_path, movies) as session:
        assert session.file("outputs/a.mrc") == session.path / "outputs/a.mrc"
        with pytest.raises(SessionError, match="outside the session's folder"):
            session.file("../secret")


def test_verbs_without_an_engine_are_a_sentence(tmp_path: Path, movies: Path) -> None:
    with create(tmp_path, movies) as session, pytest.raises(EngineUnreachable, match="No engine answers"):
        session.stop()


def test_an_engine_that_cannot_start_says_why(tmp_path: Path, movies: Path) -> None:
    with create(tmp_path, movies) as session:
        (session.path / "log.jsonl").mkdir()
        with pytest.raises(SessionError, match="did not start. Its log ends with"):
            session.start(gpus="")


def test_a_start_while_an_engine_ends_starts_the_next(
    tmp_path: Path, movies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It still has the lock, and answers no more."""
    with create(tmp_path, movies) as session:
        monkeypatch.setattr("emlab.session.is_locked", lambda path: True)
        session.start(gpus="", workers=1, report_every=0)
        assert session.explain() == ["Nothing is waiting: the engine is looking for files."]
        session.stop(now=True)


def test_what_cannot_be_is_not_kept(tmp_path: Path, movies: Path) -> None:
    with create(tmp_path, movies) as session:
        with pytest.raises(SessionError, match="There is no executor 'desk'. There are: local"):
            session.start(gpus="", executor="desk")
        with pytest.raises(
            SessionError, match=r"There is no GPU 97; .*CuPy finds.* Choose others, or all, with --gpus"
        ):
            session.start(gpus="97")
        with pytest.raises(ParameterError, match="gpus is 'x'; expected GPU indices separated by commas"):
            session.start(gpus="x")
        assert EngineOptions.kept(session.path) == EngineOptions()


def test_what_a_start_was_told_is_kept_for_the_next(
    tmp_path: Path, movies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[list[str]] = []
    monkeypatch.setattr(
        launch.subprocess, "Popen", lambda command, **_: commands.append(command[command.index("emlab.engine") + 2 :])
    )
    monkeypatch.setattr(launch, "_await", lambda session, engine: None)
    with create(tmp_path, movies) as session:
        session.start(gpus="", workers=3, report_every=0, time_limit=60)
        session.resume()
        assert commands[0] == ["--workers", "3", "--gpus", "", "--time-limit", "60.0", "--report", "0.0"]
        assert commands[1] == commands[0]
        session.start(gpus="all", workers=0, executor="dask")
        assert commands[2] == ["--executor", "dask", "--gpus", "all", "--time-limit", "60.0", "--report", "0.0"]
        (session.path / "engine.json").write_text('{"workers": "many"}')
        with pytest.raises(SessionError, match=r"engine.json, which .* cannot be read: .*workers is .many.*Remove it"):
            session.resume()


@pytest.mark.parametrize(
    ("said", "kept"),
    [("slurm:desk.toml", "slurm:{}/desk.toml"), ("dask:~/s.json", "dask:{}/home/s.json"), ("slurm", "slurm")]
    + [(same, same) for same in ("dask", "dask://host:1", "tls://host:1", "local")],
)
def test_a_file_that_an_executor_is_told_is_found_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, kept: str
) -> None:
    """The engine's own folder is not that of whoever starts it, nor is the next one's."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert EngineOptions(executor=said).executor == kept.format(tmp_path)


def test_what_is_kept_survives_a_power_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is on the disk before it has its name: else it would be an empty file then."""
    durable: list[str] = []
    monkeypatch.setattr("emlab.formats.atomic.sync", lambda path: durable.append(Path(path).name))
    EngineOptions(workers=1).keep(tmp_path)
    assert len(durable) == 2
    assert "engine.json" in durable[0]
    assert EngineOptions.kept(tmp_path) == EngineOptions(workers=1)


def test_an_engine_that_runs_says_what_it_does_not_follow(
    tmp_path: Path, movies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with create(tmp_path, movies) as session:
        EngineOptions(workers=1, gpus="").keep(session.path)
        monkeypatch.setattr("emlab.session.is_locked", lambda path: True)
        monkeypatch.setattr("emlab.session.send_command", lambda path, command: {"state": "running"})
        session.start(workers=1)
        with pytest.warns(UserWarning, match="is already running, so the new workers, time_limit is not"):
            session.start(workers=2, gpus="", time_limit=60)


def test_an_engine_is_detached_and_answers_when_start_returns(tmp_path: Path, movies: Path) -> None:
    with create(tmp_path, movies) as session:
        assert session.explain() == []
        session.start(gpus="", workers=1, report_every=0)
        assert session.state == "running"
        assert session.explain() == ["Nothing is waiting: the engine is looking for files."]
        session.start()
        session.stop()
        assert list(session["movies"].follow(timeout=30)) == []
        assert stat.S_IMODE((session.path / "session.db").stat().st_mode) & stat.S_IWGRP == 0


def test_a_session_that_ends_between_two_looks_has_not_crashed(invented: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with invented.ledger.transaction():
        invented.ledger.set_meta("state", "running")
    with invented.open() as session:
        monkeypatch.setattr("emlab.session.is_locked", lambda path: False)
        assert session.state == "crashed"

        def ended(path: Path) -> bool:
            invented.end()
            return False

        monkeypatch.setattr("emlab.session.is_locked", ended)
        assert session.state == "finished"


def test_an_engine_that_found_nothing_left_to_do_did_start(invented: Any) -> None:
    """It may be gone before it can be asked."""
    with invented.open() as session:
        launch._await(session.path, subprocess.Popen([sys.executable, "-c", ""]))


def test_whoever_only_looks_is_spared_what_takes_seconds_to_import() -> None:
    command = (
        "import sys, emlab_widgets.panels, emlab; emlab.open_session; print({'numba', 'scipy'} & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"
