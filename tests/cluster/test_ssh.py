"""Several hosts by their SSH addresses: ``dask ssh`` as the README says, to a server of the test's own."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from multiprocessing import connection
from pathlib import Path

import pytest

from emlab.engine.executors.choice import executor_for
from emlab.engine.executors.inline import InlineExecutor
from emlab.engine.task import Outcome, Task

pytest.importorskip("distributed", reason="Dask is not installed (pip install 'emlab[cluster]')")
pytest.importorskip("paramiko", reason="dask ssh needs paramiko (pip install paramiko)")

HOSTS = ("127.0.0.2", "127.0.0.3")
"""Addresses of this machine, which Dask cannot tell from those of others."""


def free_port() -> int:
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        return int(line.getsockname()[1])


@pytest.fixture
def ssh(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """The port of an SSH server, and the key that opens it."""
    server = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
    if server is None or os.getuid() != 0:
        pytest.skip("there is no sshd on this machine (Debian: apt install openssh-server), or this is not root")
    Path("/run/sshd").mkdir(exist_ok=True)
    for name in ("host", "key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / name], check=True)
    shutil.copy(tmp_path / "key.pub", tmp_path / "authorized")
    port = free_port()
    options = {
        "Port": port,
        "ListenAddress": "0.0.0.0",
        "HostKey": tmp_path / "host",
        "AuthorizedKeysFile": tmp_path / "authorized",
        "StrictModes": "no",
        "UsePAM": "no",
        "PidFile": "none",
        "PasswordAuthentication": "no",
        "PermitRootLogin": "prohibit-password",
    }
    command = [server, "-D", "-e", "-f", "/dev/null", *(f"-o{name}={value}" for name, value in options.items())]
    with (tmp_path / "sshd.log").open("wb") as log, subprocess.Popen(command, stderr=log) as daemon:
        yield port, tmp_path / "key"
        daemon.terminate()


def test_hosts_that_are_reached_by_ssh_compute_what_this_one_would(
    ssh: tuple[int, Path], tmp_path: Path, movie: Task
) -> None:
    port, key = ssh
    scheduler = free_port()
    command = [sys.executable, "-m", "distributed.cli.dask_ssh", "--scheduler", "127.0.0.1"]
    command += ["--scheduler-port", str(scheduler), "--ssh-port", str(port), "--ssh-username", "root"]
    command += ["--ssh-private-key", str(key), "--nthreads", "1", "--memory-limit", "0", *HOSTS]
    deadline = time.monotonic() + 240
    with (tmp_path / "dask.log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as cluster:
        try:
            while not _answers(scheduler):
                assert cluster.poll() is None, (tmp_path / "dask.log").read_text()
                assert time.monotonic() < deadline, "dask ssh started no scheduler within 240 s"
                time.sleep(0.1)
            executor = executor_for(f"dask://127.0.0.1:{scheduler}", 1, (), [str(tmp_path)])()
            while executor.free(accelerated=False) < len(HOSTS):
                connection.wait(executor.waitables(), 1)
                assert executor.collect() == executor.complaints() == []
                assert time.monotonic() < deadline, (tmp_path / "dask.log").read_text()
            for _ in HOSTS:
                executor.submit(movie, accelerated=False)
            found: list[Outcome] = []
            while len(found) < len(HOSTS):
                connection.wait(executor.waitables(), 1)
                found += executor.collect()
                assert time.monotonic() < deadline, "no outcome came from the hosts within 240 s"
            executor.close()
        finally:
            cluster.send_signal(signal.SIGINT)
    assert {outcome.worker.split("//")[1].partition(":")[0] for outcome in found} == set(HOSTS)
    here = InlineExecutor()
    here.submit(movie, accelerated=False)
    (expected,) = here.collect()
    assert [outcome.record for outcome in found] == [expected.record] * len(HOSTS)


def _answers(port: int) -> bool:
    with socket.socket() as line:
        return line.connect_ex(("127.0.0.1", port)) == 0
