"""Workers of a Dask cluster: what they do comes back, and whoever is lost costs no more than what it had."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing import connection
from pathlib import Path
from typing import Any, TypeVar

import psutil
import pytest

from emlab.engine.executors.choice import executor_for
from emlab.engine.task import Outcome, Task
from emlab.errors import ParameterError, ProgramError
from emlab.model import Movie

distributed = pytest.importorskip("distributed", reason="Dask is not installed (pip install 'emlab[cluster]')")
dask = pytest.importorskip("dask")

from emlab.engine.executors.dask import DaskExecutor  # noqa: E402

PATIENCE = 90.0
"""Seconds that a test waits for what others do."""
LOOK = 1.0
"""Seconds between looks at whether it has waited too long."""
T = TypeVar("T")
QUIET = {"dashboard_address": "127.0.0.1:0", "memory_limit": 0, "silence_logs": 50}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two Dask workers, each of which lends one process."""
    with (
        dask.config.set({"distributed.deploy.lost-worker-timeout": "1 hour"}),  # its nanny brings a worker back
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, resources={"CPU": 1}, **QUIET) as cluster,
    ):
        yield cluster


@pytest.fixture
def executor(cluster: Any, tmp_path: Path) -> Iterator[DaskExecutor]:
    executor = DaskExecutor(to(cluster), [str(tmp_path)])
    when_free(executor, 2)
    yield executor
    executor.close()


def to(cluster: Any) -> Callable[[], Any]:
    return lambda: distributed.Client(cluster.scheduler_address, asynchronous=True)


def until(reached: Callable[[], T], what: str) -> T:
    """What is waited for, once it is there."""
    deadline = time.monotonic() + PATIENCE
    while not (found := reached()):
        assert time.monotonic() < deadline, f"{what}: not within {PATIENCE:g} s"
    return found


def when_free(executor: DaskExecutor, places: int) -> None:
    def are_free() -> bool:
        assert executor.collect() == executor.complaints() == []
        if executor.free(accelerated=False) != places:
            connection.wait(executor.waitables(), LOOK)
        return executor.free(accelerated=False) == places

    until(are_free, f"{places} places are free")


def outcome(executor: DaskExecutor) -> Outcome:
    def come() -> list[Outcome]:
        connection.wait(executor.waitables(), LOOK)
        return executor.collect()

    return until(come, "an outcome comes")[0]


def complaint(executor: DaskExecutor) -> str:
    def told() -> list[str]:
        connection.wait(executor.waitables(), LOOK)
        assert executor.collect() == []
        return executor.complaints()

    return until(told, "a complaint comes")[0]


def workers(cluster: Any) -> dict[str, psutil.Process]:
    """The process of each Dask worker by its address, once the processes that it lends can take tasks."""
    with distributed.Client(cluster.scheduler_address) as client:
        until(lambda: all(client.run(_is_ready).values()), "the processes that Dask's workers lend are ready")
        return {address: psutil.Process(number) for address, number in client.run(os.getpid).items()}


def hang(cluster: Any, worker: psutil.Process) -> psutil.Process:
    """Have the process that a Dask worker lends do nothing more."""
    (process,) = worker.children()
    process.suspend()
    return process


def until_held(cluster: Any, address: str) -> None:
    """Wait until the process of a Dask worker has been given a task."""
    with distributed.Client(cluster.scheduler_address) as client:
        until(lambda: client.run(_holds, workers=[address])[address], f"the worker {address} has a task")


def _is_ready() -> bool:
    from emlab.engine.executors import station

    return all(worker.alive for found in station._stations.values() for worker in found._pool._workers)


def _holds() -> bool:
    from emlab.engine.executors import station

    return any(worker.task for found in station._stations.values() for worker in found._pool._workers)


def test_a_task_comes_back_as_a_record_from_the_worker_that_was_preferred(executor: DaskExecutor, movie: Task) -> None:
    executor.submit(movie, accelerated=False)
    assert executor.free(accelerated=False) == 1
    first = outcome(executor)
    assert isinstance(first.record, Movie)
    assert executor.free(accelerated=False) == 2
    for _ in range(3):
        executor.submit(movie, accelerated=True, prefer=first.worker)
        assert outcome(executor).worker == first.worker


def test_a_protocol_that_raises_is_trouble_with_its_traceback(executor: DaskExecutor, movie: Task) -> None:
    Path(movie.records[0].path).write_text("this is no movie " * 100)
    executor.submit(movie, accelerated=False)
    trouble = outcome(executor).trouble
    assert trouble is not None
    assert (trouble.error, trouble.retry) == ("FormatError", False)
    assert "import_movies" in trouble.traceback


def test_an_item_that_kills_its_process_costs_neither_its_worker_nor_another_item(
    executor: DaskExecutor, cluster: Any, movie: Task
) -> None:
    before = workers(cluster)
    address = next(iter(before))
    process = hang(cluster, before[address])
    executor.submit(movie, accelerated=False, prefer=f"{address}/cpu#1")
    until_held(cluster, address)
    process.kill()
    trouble = outcome(executor).trouble
    assert trouble is not None
    assert (trouble.error, trouble.retry) == ("WorkerLost", True)
    assert "was killed by signal 9" in trouble.message
    executor.submit(movie, accelerated=False, prefer=f"{address}/cpu#1")
    assert outcome(executor).record is not None
    assert workers(cluster) == before


def test_a_lost_worker_gives_its_item_back_and_the_next_is_used(
    executor: DaskExecutor, cluster: Any, movie: Task
) -> None:
    before = workers(cluster)
    address = next(iter(before))
    process = hang(cluster, before[address])
    executor.submit(movie, accelerated=False, prefer=f"{address}/cpu#1")
    before[address].kill()
    trouble = outcome(executor).trouble
    assert psutil.wait_procs([process], timeout=30)[1] == []
    assert trouble is not None
    assert (trouble.error, trouble.retry) == ("WorkerLost", True)
    assert trouble.message == f"The Dask worker {address} on {os.uname().nodename} was lost while it had this item."
    assert executor.free(accelerated=False) == 1
    when_free(executor, 2)
    assert len(workers(cluster).keys() - before.keys()) == 1


def test_what_runs_is_killed_when_its_engine_is(cluster: Any, movie: Task) -> None:
    """So that a card is free for the engine that is started next."""
    program = (
        "import sys, time, pickle, distributed\n"
        "from multiprocessing import connection\n"
        "from emlab.engine.executors.dask import DaskExecutor\n"
        "executor = DaskExecutor(lambda: distributed.Client(sys.argv[1], asynchronous=True))\n"
        "while executor.free(accelerated=False) < 2:\n"
        "    connection.wait(executor.waitables()); executor.collect()\n"
        "task, address = pickle.loads(bytes.fromhex(sys.argv[2])), sys.argv[3]\n"
        "executor.submit(task, accelerated=False, prefer=f'{address}/cpu#1')\n"
        "time.sleep(600)\n"
    )
    before = workers(cluster)
    processes = {address: hang(cluster, worker) for address, worker in before.items()}
    arguments = [sys.executable, "-c", program, cluster.scheduler_address, pickle.dumps(movie).hex(), *before]
    with subprocess.Popen(arguments) as engine:
        address = next(iter(before))
        until_held(cluster, address)
        engine.send_signal(signal.SIGKILL)
        engine.wait()
    assert psutil.wait_procs([processes.pop(address)], timeout=30)[1] == []
    for process in processes.values():
        process.resume()


def test_a_worker_that_cannot_see_the_session_is_not_used(cluster: Any, tmp_path: Path) -> None:
    executor = DaskExecutor(to(cluster), [str(tmp_path), "/nowhere/movies"])
    said = {complaint(executor), complaint(executor)}
    assert all(
        "is not used: /nowhere/movies cannot be seen from there; mount it at the same path." in text for text in said
    )
    assert executor.free(accelerated=False) == 0
    executor.close()


def test_a_worker_with_another_emlab_is_not_used(cluster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emlab.engine.executors.link.__version__", "0.0")
    executor = DaskExecutor(to(cluster))
    assert "but the engine has 0.0; install the same version there." in complaint(executor)
    executor.close()


def test_a_gpu_is_a_resource_and_a_process_of_its_own(movie: Task) -> None:
    """The card is pretended; a worker whose CuPy finds none lends its CPU only, and says so."""
    resources = {"GPU": 1, "CPU": 1}
    with (
        distributed.LocalCluster(n_workers=1, threads_per_worker=2, resources=resources, **QUIET) as cluster,
        distributed.Client(cluster.scheduler_address) as client,
    ):
        executor = DaskExecutor(to(cluster))
        assert "its GPU is not used: " in complaint(executor)
        assert (executor.free(accelerated=True), executor.free(accelerated=False)) == (1, 1)
        executor.close()
        client.run(_pretend)
        executor = DaskExecutor(to(cluster))
        when_free(executor, 1)
        assert executor.free(accelerated=True) == 1
        for accelerated, device in ((True, "gpu:0"), (False, "cpu")):
            executor.submit(movie, accelerated=accelerated)
            assert (executor.free(accelerated=True), executor.free(accelerated=False)) == (
                (0, 1) if accelerated else (1, 0)
            )
            assert f"/{device}#" in outcome(executor).worker
        executor.close()


def _pretend() -> None:
    from emlab.engine import devices
    from emlab.engine.executors import station

    devices.cupy_trouble = lambda: None
    station._stations.clear()


def test_a_scheduler_that_goes_is_found_again(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0"]
    command += ["--dashboard-address", "127.0.0.1:0", "--scheduler-file", "scheduler.json"]
    file = tmp_path / "scheduler.json"
    scheduler = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL)

    def is_written() -> bool:
        assert scheduler.poll() is None
        return file.exists() and file.read_text().endswith("}")

    until(is_written, "the scheduler writes its file")
    executor = executor_for(f"dask:{file}", 1, (), [])()
    assert executor.describe().startswith("the Dask cluster at tcp://127.0.0.1:")
    file.unlink()
    scheduler.kill()
    scheduler.wait()
    assert " was lost (" in complaint(executor)
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL) as scheduler:
        assert complaint(executor).startswith("The Dask scheduler is back, at tcp://127.0.0.1:")
        executor.close()
        scheduler.terminate()


@pytest.mark.parametrize(
    ("choice", "error", "said"),
    [
        ("desk", ParameterError, "There is no executor 'desk'. There are: local"),
        ("dask://127.0.0.1:1", ProgramError, "No Dask scheduler answers"),
        ("slurm:/no/such.toml", ParameterError, "There is no /no/such.toml; give a TOML file"),
    ],
)
def test_a_choice_that_cannot_be_is_a_sentence(
    choice: str, error: type[Exception], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emlab.engine.executors.link.OPEN_WITHIN", 0.5)
    with pytest.raises(error, match=said):
        executor_for(choice, 1, (), [])()
