"""Sessions on a card: the CPU's records, cards kept busy, and what happens when memory is short."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import emlab
from emlab.engine.executors.choice import executor_for
from emlab.engine.perform import perform
from emlab.engine.runner import Engine
from emlab.engine.task import Outcome, Task
from emlab.engine.workbench import Pantry
from emlab.formats.image import read_image
from emlab.model import Arrival, Movie
from emlab.protocols import PROTOCOLS
from emlab.simulation import simulate

pytestmark = pytest.mark.gpu

FRAMES, SIZE = 12, (768, 768)


@pytest.fixture(scope="module")
def movies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("microscope")
    assert len(list(simulate(folder, movies=4, pace=0, size=SIZE, frames=FRAMES, seed=1))) == 4
    return folder


def finished(path: Path, movies: Path, gpus: tuple[int, ...], executor: str = "local") -> emlab.Session:
    session = emlab.create_session(
        path, movies=movies, expected_count=4, gain_reference=movies / "gain.tif", **{"import.settle_time": 0}
    )
    Engine(session.path, executor_for(executor, 1, gpus, [str(path), str(movies)])).run()
    assert session.state == "finished"
    assert session.failures() == []
    return session


def test_a_session_on_a_card_gives_the_cpus_records(cupy: Any, movies: Path, tmp_path: Path) -> None:
    with finished(tmp_path / "cpu", movies, ()) as reference, finished(tmp_path / "card", movies, (0,)) as session:
        for name, columns in (("micrographs", {"shift_y": 0.01, "shift_x": 0.01}), ("ctfs", {"defocus_u": 1.0})):
            expected = {record.key: dataclasses.asdict(record) for record in reference[name]}
            for record in session[name]:
                for column, tolerance in columns.items():
                    value = expected[record.key][column]
                    np.testing.assert_allclose(getattr(record, column), value, atol=tolerance)
        for one, other in zip(sorted_images(reference), sorted_images(session), strict=True):
            assert np.sqrt(((one - other) ** 2).mean()) < 1e-4 * one.mean()
        table = session["micrographs"].to_dataframe(columns=["worker", "device", "recorded_at", "seconds"])
        assert set(table["device"]) == {"gpu:0"}
        # Two processes share the card, and neither waits for the other to be done.
        assert table["worker"].nunique() == 2
        begun, ended = (table["recorded_at"] - table["seconds"]).to_numpy(), table["recorded_at"].to_numpy()
        assert any(begun[i] < ended[j] and begun[j] < ended[i] for i in range(4) for j in range(i))


def sorted_images(session: emlab.Session) -> list[np.ndarray]:
    records = sorted(session["micrographs"], key=lambda record: record.key)
    return [read_image(session.path / record.path)[0] for record in records]


@pytest.fixture
def task(movies: Path, tmp_path: Path) -> Task:
    file = min(movies.rglob("*.tiff"))
    arrival = Arrival(key="movie", path=str(file), size=file.stat().st_size, modified=0.0, evidence="given")
    parameters = {"folder": str(movies), "voltage": 300.0, "pixel_size": 1.0, "dose_per_frame": 1.2}
    imported = perform(
        Task("import", "movie", "import_movies", parameters, (arrival,), str(tmp_path), "outputs/import"), "here"
    )
    assert isinstance(imported.record, Movie)
    given = PROTOCOLS["align_movie"].parameters().model_dump()
    return Task("align", "movie", "align_movie", given, (imported.record,), str(tmp_path), "outputs/align")


def on_card(task: Task, pool: Any, limit: int) -> tuple[Outcome, int]:
    """What becomes of a task when the card lends so many bytes, and how many were taken."""
    pool.free_all_blocks()
    pool.set_limit(size=limit)
    try:
        outcome = perform(task, "here", "gpu:0", Pantry())
        return outcome, pool.total_bytes()
    finally:
        pool.set_limit(size=0)
        pool.free_all_blocks()


def test_short_memory_is_made_do_with(cupy: Any, task: Task) -> None:
    pool = cupy.get_default_memory_pool()
    plenty, taken = on_card(task, pool, 0)
    assert (plenty.device, plenty.remark) == ("gpu:0", "")
    assert plenty.record is not None
    expected = read_image(Path(task.root) / plenty.record.path)[0]
    frames = FRAMES * SIZE[0] * SIZE[1]
    remarks = []
    for limit in range(taken, frames // 2, -(frames // 2)):
        outcome, _ = on_card(task, pool, limit)
        assert outcome.record is not None
        difference = read_image(Path(task.root) / outcome.record.path)[0] - expected
        assert np.sqrt((difference**2).mean()) < 1e-4 * expected.mean()
        remarks.append(outcome.remark)
        if outcome.device == "cpu":
            break
    assert "The card has too little memory, so frames were read from the computer's memory." in remarks
    assert remarks[-1] == "The card has too little memory, so the CPU took over."


def test_dask_lends_a_card_to_one_process(cupy: Any, movies: Path, tmp_path: Path) -> None:
    for package in ("distributed", "dask_jobqueue", "cryptography"):
        pytest.importorskip(package)
    with finished(tmp_path / "session", movies, (0,), "dask") as session:
        table = session["micrographs"].to_dataframe(columns=["worker", "device"])
    assert set(table["device"]) == {"gpu:0"}
    assert table["worker"].nunique() == 1


@pytest.mark.parametrize("left", [32, 900])
def test_a_card_that_others_fill_costs_no_movie(cupy: Any, movies: Path, tmp_path: Path, left: int) -> None:
    """With ``left`` MiB not even a context fits (which CUDA says as it likes), or one does and no movie."""
    cupy.get_default_memory_pool().free_all_blocks()
    free, _ = cupy.cuda.runtime.memGetInfo()
    held = cupy.cuda.alloc(free - left * 2**20)
    try:
        with finished(tmp_path / "session", movies, (0,)) as session:
            table = session["micrographs"].to_dataframe(columns=["device"])
            said = [event.message for event in session.events()]
    finally:
        del held
        cupy.get_default_memory_pool().free_all_blocks()
    assert len(table) == 4
    assert "cpu" in set(table["device"])
    assert any(message.startswith("The card has too little memory") for message in said) or (
        left == 32 and any(message.startswith("The card failed (cudaErrorDevicesUnavailable") for message in said)
    ), said
