"""Schedulers, workers and jobs that are real."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from emlab.engine.task import Task
from emlab.formats.mrc import write_mrc_movie
from emlab.model import Arrival


def importing(path: Path) -> Task:
    arrival = Arrival(key=path.stem, path=str(path), size=1, modified=0.0, evidence="stable")
    parameters = {"folder": str(path.parent), "voltage": 300.0}
    return Task("import", path.stem, "import_movies", parameters, (arrival,), str(path.parent), "outputs/import/000")


@pytest.fixture
def movie(tmp_path: Path) -> Task:
    """A task that is done in a moment."""
    frames = np.random.default_rng(1).poisson(1.0, (3, 32, 48)).astype(np.uint8)
    write_mrc_movie(tmp_path / "movie.mrcs", frames, 1.5)
    return importing(tmp_path / "movie.mrcs")


CONFIGURATION = """
ClusterName=emlab
SlurmctldHost={node}(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
ReturnToService=2
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldPort=26817
SlurmdPort=26818
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
SlurmdParameters=config_overrides
SchedulerParameters=sched_interval=1,batch_sched_delay=0
KillWait=30
MinJobAge=30
GresTypes=gpu
NodeName={node} NodeAddr=127.0.0.1 CPUs=4 SocketsPerBoard=1 CoresPerSocket=4 ThreadsPerCore=1 RealMemory={memory} \
Gres=gpu:2 State=UNKNOWN
PartitionName=test Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A SLURM of this machine alone, with two pretended GPUs; skipped where Debian's packages are missing."""
    programs = ("munged", "slurmctld", "slurmd", "sbatch", "scancel")
    places = {name: shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin") for name in programs}
    if missing := [name for name, place in places.items() if place is None]:
        pytest.skip(f"there is no {', '.join(missing)} on this machine (Debian: apt install slurm-wlm munge)")
    if os.getuid() != 0:
        pytest.skip("only root can start a SLURM of its own")
    folder = tmp_path_factory.mktemp("slurm")
    (folder / "state").mkdir()
    (folder / "spool").mkdir()
    node = os.uname().nodename.partition(".")[0]
    memory = psutil.virtual_memory().total // 2**20 * 9 // 10
    for card in range(2):
        os.mknod(folder / f"card{card}", 0o20666, os.makedev(1, 3))
    (folder / "gres.conf").write_text(f"NodeName={node} Name=gpu File={folder}/card[0-1]\n")
    (folder / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\n")
    (folder / "slurm.conf").write_text(CONFIGURATION.format(node=node, folder=folder, memory=memory))
    key = folder / "munge.key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o400)
    own = {name: f"--{name}={folder}/munge.{name.partition('-')[0]}" for name in ("pid-file", "log-file", "seed-file")}
    munged = [places["munged"], "--foreground", "--force", f"--key-file={key}", f"--socket={folder}/munge.socket"]
    daemons = [[*munged, *own.values()], *([places[name], "-D"] for name in ("slurmctld", "slurmd"))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLURM_CONF", str(folder / "slurm.conf"))
        started = []
        for command in daemons:
            with (folder / "daemons.log").open("ab") as log:
                started.append(subprocess.Popen(command, stdout=log, stderr=log, cwd=folder))
            _until(folder, "munge.socket", lambda: (folder / "munge.socket").exists())
        _until(folder, "slurmd.log", lambda: "idle" in _said("sinfo", "--noheader", "--format=%T"))
        yield folder
        _said("scancel", "--user=root")
        for daemon in reversed(started):
            daemon.terminate()
            daemon.wait()


def _said(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def _until(folder: Path, log: str, reached: object) -> None:
    deadline = time.monotonic() + 60
    while not reached():  # type: ignore[operator]
        assert time.monotonic() < deadline, (folder / "daemons.log").read_text() + (folder / log).read_text()
        time.sleep(0.05)
