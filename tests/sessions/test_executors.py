"""The same session gives the same records and the same bytes, wherever it is computed."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

import emlab
from emlab.engine.executors import InlineExecutor
from emlab.engine.runner import Engine
from emlab.simulation import simulate

pytest.importorskip("distributed", reason="Dask is not installed (pip install 'emlab[cluster]')")


@pytest.fixture
def movies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    folder = tmp_path / "movies"
    assert len(list(simulate(folder, movies=2, pace=0, size=(128, 128), frames=4, seed=1))) == 2
    return folder


def finished(movies: Path, executor: str) -> emlab.Session:
    values = {"expected_count": 2, "import.settle_time": 0, "gain_reference": movies / "gain.tif"}
    session = emlab.create_session(movies.parent / executor, movies=movies, **values)
    if executor == "inline":
        Engine(session.path, InlineExecutor).run()
    else:
        session.start(executor=executor, workers=1, gpus="", report_every=0)
        while session.is_running:
            session.wait(0.5)
    assert session.state == "finished"
    assert session.failures() == []
    return session


def results(session: emlab.Session) -> dict[str, dict[str, Any]]:
    return {
        name: {record.key: dataclasses.asdict(record) for record in session[name]}
        for name in ("movies", "micrographs", "ctfs", "accepted", "rejected")
    }


def outputs(session: emlab.Session) -> dict[str, bytes]:
    files = (path for path in (session.path / "outputs").rglob("*") if path.is_file())
    return {str(path.relative_to(session.path)): path.read_bytes() for path in files}


def test_inline_here_and_through_dask_are_one(movies: Path) -> None:
    with finished(movies, "inline") as reference:
        expected, files = results(reference), outputs(reference)
    assert {len(expected[name]) for name in ("movies", "micrographs", "ctfs")} == {2}
    for executor in ("local", "dask"):
        with finished(movies, executor) as session:
            assert results(session) == expected
            assert outputs(session) == files
            workers = set(session["ctfs"].to_dataframe(columns=["worker"])["worker"])
            assert all(("tls://127.0.0.1" in worker) == (executor == "dask") for worker in workers)
