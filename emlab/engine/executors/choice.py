"""Which executor a session is run on, by the one word that a person gives."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from emlab.engine.devices import visible_device
from emlab.engine.executors.executor import Executor
from emlab.engine.executors.local import LocalExecutor
from emlab.errors import ParameterError, ProgramError

LOCAL = "local"
KNOWN = (
    "local (this machine), dask (this machine, through Dask), dask://HOST:PORT or tls://HOST:PORT (a Dask scheduler), "
    "dask:FILE (its scheduler file), slurm or slurm:FILE (jobs on a SLURM cluster, with settings from the file)"
)


def executor_for(
    choice: str, cpu_workers: int, gpus: tuple[int, ...], folders: Sequence[str]
) -> Callable[[], Executor]:
    """What makes the executor that a person chose.

    Parameters
    ----------
    choice
        One of `KNOWN`.
    cpu_workers, gpus
        What this machine lends, where it computes.
    folders
        Absolute paths that every worker has to see.

    Raises
    ------
    ParameterError
        If there is no such executor.
    ProgramError
        If Dask is not installed.
    """
    kind, _, where = choice.partition(":")
    if choice == LOCAL:
        return lambda: LocalExecutor(cpu_workers, gpus)
    if kind not in {"dask", "tcp", "tls", "slurm"} or (where == "" and choice not in {"dask", "slurm"}):
        raise ParameterError(f"There is no executor {choice!r}. There are: {KNOWN}.")
    if missing := [name for name in ("distributed", "dask_jobqueue", "cryptography") if find_spec(name) is None]:
        raise ProgramError(
            f"The executor {choice} needs {', '.join(missing)}. Install it: pip install 'emlab[cluster]'."
        )
    if kind == "slurm":
        return lambda: _slurm(where, folders)
    if choice == "dask":
        return lambda: _here(cpu_workers, gpus, folders)
    if where.startswith("//"):
        return lambda: _scheduler({"address": f"tcp:{where}" if kind == "dask" else choice}, folders)
    return lambda: _scheduler({"scheduler_file": os.path.expanduser(where)}, folders)  # noqa: PTH111


def _here(cpu_workers: int, gpus: tuple[int, ...], folders: Sequence[str]) -> Executor:
    """A cluster of this machine alone, that ends with its engine; encrypted, for other people may be on it too."""
    from distributed import Client, LocalCluster, Security

    from emlab.engine.executors.dask import DaskExecutor

    os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(visible_device(index) for index in gpus)
    cluster = LocalCluster(
        n_workers=1,
        threads_per_worker=cpu_workers + len(gpus),
        resources={"CPU": cpu_workers, "GPU": len(gpus)},
        dashboard_address="127.0.0.1:0",
        memory_limit=0,
        protocol="tls://",
        security=Security.temporary(),
        silence_logs=False,
    )
    address, security = cluster.scheduler_address, cluster.security
    return DaskExecutor(lambda: Client(address, security=security, asynchronous=True), folders, cluster.close)


def _scheduler(where: dict[str, Any], folders: Sequence[str]) -> Executor:
    """Somebody's cluster; certificates are those of Dask's own configuration."""
    from distributed import Client

    from emlab.engine.executors.dask import DaskExecutor

    return DaskExecutor(lambda: Client(**where, asynchronous=True), folders)


def _slurm(file: str, folders: Sequence[str]) -> Executor:
    """Jobs that outlive the engine, so that one that is started again need not queue."""
    from emlab.engine.executors.cluster import Cluster
    from emlab.engine.executors.dask import DaskExecutor

    cluster = Cluster.of(Path(file).expanduser() if file else None)
    cluster.start()
    return DaskExecutor(cluster.client, folders)
