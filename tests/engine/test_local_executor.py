"""Worker processes: what they do comes back, and what kills one kills nothing else."""

from __future__ import annotations

import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing import connection
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import psutil
import pytest

from emlab.engine.executors import LocalExecutor
from emlab.engine.task import Outcome, Task
from emlab.engine.worker import FIRST_TO_GO, spawn_arguments
from emlab.formats.mrc import write_mrc_movie
from emlab.model import Arrival, Movie

PATIENCE = 90.0
"""Seconds that a test waits for a worker."""


@pytest.fixture
def executor() -> Iterator[LocalExecutor]:
    executor = LocalExecutor(cpu_workers=2)
    yield executor
    executor.close()


@pytest.fixture
def movie(tmp_path: Path) -> Path:
    frames = np.random.default_rng(1).poisson(1.0, (3, 32, 48)).astype(np.uint8)
    write_mrc_movie(tmp_path / "movie.mrcs", frames, 1.5)
    return tmp_path / "movie.mrcs"


def importing(path: Path) -> Task:
    arrival = Arrival(key=path.stem, path=str(path), size=1, modified=0.0, evidence="stable")
    parameters = {"folder": str(path.parent), "voltage": 300.0}
    return Task("import", path.stem, "import_movies", parameters, (arrival,), str(path.parent), "outputs/import/000")


def when_free(executor: LocalExecutor, workers: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while executor.free(accelerated=False) < workers:
        connection.wait(executor.waitables(), 1)
        assert executor.collect() == []
        assert time.monotonic() < deadline, f"{workers} workers are not free within {PATIENCE:g} s"


def outcome(executor: LocalExecutor) -> Outcome:
    deadline = time.monotonic() + PATIENCE
    while not (found := executor.collect()):
        assert time.monotonic() < deadline, f"no outcome came within {PATIENCE:g} s"
        connection.wait(executor.waitables(), 1)
    return found[0]


def test_a_task_comes_back_as_a_record(executor: LocalExecutor, movie: Path) -> None:
    when_free(executor, 1)
    executor.submit(importing(movie), accelerated=False)
    found = outcome(executor)
    assert isinstance(found.record, Movie)
    assert (found.record.frames, found.record.height, found.record.width) == (3, 32, 48)
    assert found.device == "cpu"
    assert found.trouble is None
    assert executor.free(accelerated=False) >= 1


def test_a_protocol_that_raises_is_trouble_with_its_traceback(executor: LocalExecutor, tmp_path: Path) -> None:
    (tmp_path / "text.mrcs").write_text("this is no movie " * 100)
    when_free(executor, 1)
    executor.submit(importing(tmp_path / "text.mrcs"), accelerated=False)
    found = outcome(executor)
    assert found.record is None
    assert found.trouble is not None
    assert found.trouble.error == "FormatError"
    assert "import_movies" in found.trouble.traceback
    assert not found.trouble.retry


def test_a_killed_worker_costs_its_task_only_and_is_replaced(executor: LocalExecutor, movie: Path) -> None:
    when_free(executor, 2)
    executor._workers[0].process.send_signal(signal.SIGSTOP)
    executor.submit(importing(movie), accelerated=False, prefer=executor._workers[0].name)
    executor._workers[0].process.kill()
    lost = outcome(executor)
    assert lost.trouble is not None
    assert lost.trouble.error == "WorkerLost"
    assert lost.trouble.retry
    assert "was killed by signal 9 (the kernel does so when memory runs out)" in lost.trouble.message
    when_free(executor, 2)
    executor.submit(importing(movie), accelerated=False)
    assert outcome(executor).record is not None


def test_a_worker_that_hangs_is_killed_at_the_time_limit(executor: LocalExecutor, movie: Path) -> None:
    when_free(executor, 1)
    hanging = next(worker for worker in executor._workers if worker.alive)
    hanging.process.send_signal(signal.SIGSTOP)
    executor.submit(replace(importing(movie), time_limit=0.0), accelerated=False, prefer=hanging.name)
    trouble = outcome(executor).trouble
    assert trouble is not None
    assert (trouble.error, trouble.retry) == ("TimeLimit", True)
    assert f"The worker {hanging.name} exceeded the time limit of 0 s and was killed." == trouble.message
    when_free(executor, 1)


def test_a_worker_on_whose_card_nothing_works_any_more_is_replaced_and_its_work_is_kept(
    movie: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = (
        "import sys\n"
        "from dataclasses import replace\n"
        "from emlab.engine import perform, worker\n"
        "real = perform.perform\n"
        "perform.perform = lambda *given: replace(real(*given), spent=True)\n"
        "line, name, device, parent = sys.argv[1:]\n"
        "worker.main(int(line), name, device, int(parent))\n"
    )

    def spent(*given: Any) -> list[str]:
        return [sys.executable, "-c", program, *spawn_arguments(*given)[-4:]]

    monkeypatch.setattr("emlab.engine.executors.local.spawn_arguments", spent)
    executor = LocalExecutor(cpu_workers=1)
    when_free(executor, 1)
    executor.submit(importing(movie), accelerated=False)
    done = outcome(executor)
    assert done.record is not None
    assert done.worker == "cpu#1"
    # It is given nothing more, though it may not have ended yet.
    assert executor.free(accelerated=False) == 0
    assert [worker.name for worker in executor._workers] == ["cpu#2"]
    assert executor.complaints() == []
    executor.close()


def test_a_worker_is_killed_before_its_engine_when_memory_runs_out(executor: LocalExecutor) -> None:
    when_free(executor, 1)
    worker = next(worker for worker in executor._workers if worker.alive)
    assert int(Path(f"/proc/{worker.process.pid}/oom_score_adj").read_text()) == FIRST_TO_GO
    assert int(Path("/proc/self/oom_score_adj").read_text()) < FIRST_TO_GO


def test_wanting_more_memory_than_there_is_fails_the_item_alone() -> None:
    program = (
        "import numpy as np\n"
        "from emlab.engine.worker import bound_memory\n"
        "bound_memory(2**30)\n"
        "try:\n"
        "    np.ones(2**28)\n"
        "except MemoryError:\n"
        "    print(np.ones(2**20).sum())\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout == "1048576.0\n"


def test_a_worker_that_cannot_begin_is_complained_of_and_tried_again_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not at once and for ever, in silence."""
    begun: list[str] = []

    def broken(theirs: object, name: str, device: str) -> list[str]:
        begun.append(name)
        return [sys.executable, "-c", "raise SystemExit(3)"]

    monkeypatch.setattr("emlab.engine.executors.local.spawn_arguments", broken)
    now = [0.0]
    monkeypatch.setattr("emlab.engine.executors.local.time", SimpleNamespace(monotonic=lambda: now[0]))
    executor = LocalExecutor(cpu_workers=1)
    for now[0], seconds in ((0.0, 5), (5.0, 10), (15.0, 20)):
        assert executor.collect() == []
        connection.wait(executor.waitables())
        assert executor.collect() == []
        (complaint,) = executor.complaints()
        assert (
            f"ended with exit code 3 before it could take an item; engine.log may say why. It restarts in "
            f"{seconds} s." in complaint
        )
        assert executor.waitables() == executor.collect() == []
        assert executor.free(accelerated=False) == 0
    assert begun == ["cpu#1", "cpu#2", "cpu#3"]
    executor.close()


def test_a_task_goes_to_the_worker_that_has_its_input(executor: LocalExecutor, movie: Path) -> None:
    when_free(executor, 2)
    wanted = executor._workers[1].name
    executor.submit(importing(movie), accelerated=False, prefer=wanted)
    assert outcome(executor).worker == wanted


def test_workers_die_with_their_engine(movie: Path) -> None:
    """Killed, not asked: a worker in the middle of an item goes too, so that no orphan keeps a GPU."""
    program = (
        "import sys, time, pickle, signal\n"
        "from multiprocessing import connection\n"
        "from emlab.engine.executors import LocalExecutor\n"
        "executor = LocalExecutor(2)\n"
        "while executor.free(accelerated=False) < 2:\n"
        "    connection.wait(executor.waitables()); executor.collect()\n"
        "executor._workers[0].process.send_signal(signal.SIGSTOP)\n"
        "task, name = pickle.loads(bytes.fromhex(sys.argv[1])), executor._workers[0].name\n"
        "executor.submit(task, accelerated=False, prefer=name)\n"
        "print(*[worker.process.pid for worker in executor._workers], flush=True)\n"
        "time.sleep(600)\n"
    )
    task = pickle.dumps(importing(movie)).hex()
    with subprocess.Popen([sys.executable, "-c", program, task], stdout=subprocess.PIPE, text=True) as engine:
        assert engine.stdout is not None
        workers = [psutil.Process(int(pid)) for pid in engine.stdout.readline().split()]
        assert len(workers) == 2
        engine.send_signal(signal.SIGKILL)
        engine.wait()
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert alive == []


def test_each_process_sees_the_card_that_it_computes_on_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of those that SLURM, say, lets be seen; one on the CPU sees none, whose memory would be mapped in vain."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,GPU-5")
    executor = LocalExecutor(1, (0, 1))
    seen = {worker.name: psutil.Process(worker.process.pid).environ() for worker in executor._workers}
    executor.close()
    assert {name: environment["CUDA_VISIBLE_DEVICES"] for name, environment in seen.items()} == {
        "gpu:0#1": "3",
        "gpu:0#2": "3",
        "gpu:1#3": "GPU-5",
        "gpu:1#4": "GPU-5",
        "cpu#5": "",
    }
