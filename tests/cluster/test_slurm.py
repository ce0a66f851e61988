"""Jobs of a real SLURM: they outlive engines, they are replaced, and they end when nobody needs them."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing import connection
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

import emlab
from emlab.engine.control import send_command
from emlab.engine.lock import SessionLock
from emlab.errors import ParameterError, ProgramError
from emlab.simulation import simulate

pytest.importorskip("dask_jobqueue", reason="Dask is not installed (pip install 'emlab[cluster]')")

from emlab.engine.executors import keeper
from emlab.engine.executors.cluster import Cluster
from emlab.engine.executors.dask import DaskExecutor
from emlab.engine.executors.slurm import SlurmSettings, described_settings, read_settings

PATIENCE = 120.0
"""Seconds that a test waits for what SLURM and an engine do."""
WORKER = "emlab.engine.worker"
CUPY = """
import os
from types import SimpleNamespace

visible = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")
cuda = SimpleNamespace(runtime=SimpleNamespace(getDeviceCount=lambda: len(list(filter(None, visible)))))
"""
SETTINGS = """
partition = "test"
jobs = 1
cpus = 1
gpus = 0
memory = "1GB"
walltime = "00:30:00"
interface = "lo"
"""


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "slurm.toml").write_text(SETTINGS)
    return tmp_path / "slurm.toml"


@pytest.fixture
def session(tmp_path: Path) -> Iterator[emlab.Session]:
    movies = tmp_path / "movies"
    assert len(list(simulate(movies, movies=3, pace=0, size=(128, 128), frames=4, seed=1))) == 3
    values = {"expected_count": 3, "import.settle_time": 0}
    with emlab.create_session(
        tmp_path / "session", movies=movies, gain_reference=movies / "gain.tif", **values
    ) as made:
        yield made


def jobs() -> list[str]:
    command = ["squeue", "--noheader", "--states=RUNNING", "--format=%i"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def wait_for_job(others: list[str] | None = None) -> str:
    deadline = time.monotonic() + PATIENCE
    while not (found := [job for job in jobs() if job not in (others or [])]):
        assert time.monotonic() < deadline, f"SLURM started no job within {PATIENCE:g} s, beside {others}"
        time.sleep(0.1)
    return found[0]


def lent(job: str) -> list[psutil.Process]:
    """The processes that a job lends to sessions."""
    mine = [process for process in psutil.process_iter(["cmdline"]) if WORKER in (process.info["cmdline"] or [])]
    return [process for process in mine if process.environ().get("SLURM_JOB_ID") == job]


def devices(job: str) -> list[tuple[str, psutil.Process]]:
    """Where each process that a job lends computes."""
    return [(process.cmdline()[-2], process) for process in lent(job)]


def stop(cluster: Cluster) -> None:
    """Stop a cluster; its workers end by themselves, before SLURM would kill them."""
    everything = psutil.process_iter(["cmdline"])
    workers = [process for process in everything if "distributed.cli.dask_worker" in (process.info["cmdline"] or [])]
    mine = [process for process in workers if str(cluster.folder) in " ".join(process.cmdline())]
    assert mine
    assert cluster.stop()
    assert psutil.wait_procs(mine, timeout=25)[1] == []  # SLURM's KillWait is 30


def wait_until(session: emlab.Session, reached: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < deadline, f"not within {PATIENCE:g} s: {session.explain()}"
        session.wait(1)


@pytest.mark.slurm
def test_engines_and_jobs_die_and_the_session_goes_on_to_its_end(
    slurm: Path, settings: Path, session: emlab.Session
) -> None:
    """The engine is killed and started again, on the same job.

    Then the job reaches its time limit while it has an item; another takes its place, and does that one again.
    """
    session.start(executor=f"slurm:{settings}", gpus="", report_every=0)
    cluster = Cluster.of(settings)
    assert cluster.is_running
    job = wait_for_job()
    engine = psutil.Process(send_command(session.path, "ping")["pid"])
    os.kill(engine.pid, signal.SIGKILL)
    psutil.wait_procs([engine])
    session.start(gpus="", report_every=0)  # where it was the last time
    wait_until(session, lambda: len(session["movies"]))
    assert jobs() == [job]
    for process in lent(job):
        process.suspend()
    wait_until(session, lambda: any("1 item running" in sentence for sentence in session.explain()))
    subprocess.run(["scontrol", "update", f"JobId={job}", "EndTime=now+1seconds"], check=True)
    wait_for_job([job])
    shown = subprocess.run(["scontrol", "show", "job", job], capture_output=True, text=True, check=True).stdout
    assert "JobState=TIMEOUT" in shown
    wait_until(session, lambda: not session.is_running)
    assert session.state == "finished"
    done = [{record.key for record in session[name]} for name in ("arrivals", "movies", "micrographs", "ctfs")]
    assert len(done[0]) == 3
    assert done.count(done[0]) == 4
    assert {(failure.error, failure.final) for failure in session.failures()} <= {("WorkerLost", False)}
    stop(cluster)
    assert not cluster.is_running
    assert jobs() == []


@pytest.mark.slurm
def test_each_job_has_a_card_of_its_own_and_one_process_that_sees_no_other(
    slurm: Path, settings: Path, tmp_path: Path
) -> None:
    """SLURM says which; that CuPy can use it is pretended."""
    pretended = tmp_path / "pretended" / "cupy.py"
    pretended.parent.mkdir()
    pretended.write_text(CUPY)
    cards = f'gpus = 1\nprologue = ["export PYTHONPATH={pretended.parent}:$PYTHONPATH"]'
    settings.write_text(SETTINGS.replace("gpus = 0", cards).replace("jobs = 1", "jobs = 2"))
    cluster = Cluster.of(settings)
    cluster.start()
    executor = DaskExecutor(cluster.client)
    deadline = time.monotonic() + PATIENCE
    while executor.free(accelerated=True) < 2:
        assert time.monotonic() < deadline, executor.complaints()
        connection.wait(executor.waitables(), 1.0)
        assert executor.collect() == []
    assert executor.complaints() == []
    seen = [{place: process.environ()["CUDA_VISIBLE_DEVICES"] for place, process in devices(job)} for job in jobs()]
    assert sorted(seen, key=str) == [{"cpu": "", "gpu:0": "0"}, {"cpu": "", "gpu:0": "1"}]
    executor.close()
    stop(cluster)


@pytest.mark.slurm
def test_what_slurm_refuses_is_said_in_its_words(slurm: Path, settings: Path) -> None:
    settings.write_text(SETTINGS.replace('"test"', '"nowhere"'))
    with pytest.raises(ProgramError, match="SLURM refuses these jobs: .*invalid partition"):
        Cluster.of(settings).start()


def test_a_cluster_that_no_session_uses_ends(tmp_path: Path) -> None:
    clients = {"fire-and-forget": None, "Client-1": None}
    status = SimpleNamespace(name="running")
    cluster = SimpleNamespace(
        adapt=lambda minimum, maximum: SimpleNamespace(stop=lambda: None),
        scale=lambda jobs: None,
        scheduler=SimpleNamespace(clients=clients, workers={}, status=status, get_events=lambda topic: ()),
        scheduler_address="tls://127.0.0.1:1",
    )
    over = threading.Event()
    lock = SessionLock(tmp_path)
    keeping = threading.Thread(
        target=keeper._keep, args=(cluster, SlurmSettings(idle_timeout=1e-9), lock, tmp_path, over), daemon=True
    )
    keeping.start()
    assert keeping.is_alive()
    del clients["Client-1"]
    keeping.join(30)
    assert not keeping.is_alive()
    assert not over.is_set()
    lock.release()


def test_the_printed_settings_are_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "slurm.toml"
    lines = [line.removeprefix("# ") for line in described_settings().splitlines()]
    file.write_text("\n".join(line for line in lines if " = " in line and not line.endswith('""')))
    assert read_settings(file) == SlurmSettings()


@pytest.mark.parametrize("text", ["jobs = 0", "job = 1", "jobs = ", "prologue = " + "[" * 100_000])
def test_settings_that_cannot_be_are_refused_with_the_files_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "slurm.toml").write_text(text)
    with pytest.raises(ParameterError, match="slurm.toml"):
        read_settings(tmp_path / "slurm.toml")


def test_keys_are_the_owners_alone(settings: Path) -> None:
    cluster = Cluster.of(settings)
    cluster._make_folder()
    assert {path.name: path.stat().st_mode & 0o777 for path in (cluster.folder, cluster.folder / "key.pem")} == {
        cluster.folder.name: 0o700,
        "key.pem": 0o600,
    }
    assert cluster.security().require_encryption
