"""What a person says of a SLURM cluster, and the jobs that are made of it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

from emlab.errors import ParameterError, ProgramError
from emlab.model.parameters import Parameters, parameter, validated

STATION = "emlab.engine.executors.station"
"""Imported before a worker says that it is there, for it takes seconds from a busy file system."""


class SlurmSettings(Parameters):
    """How many jobs of what kind; every job serves one Dask worker, with a process per GPU and per other core."""

    partition: str | None = parameter(None, help="Partition (sbatch -p); by default the site's.")
    account: str | None = parameter(None, help="Account to charge (sbatch -A).")
    jobs: int = parameter(1, ge=1, help="Number of jobs to keep running; one that ends is replaced.")
    cpus: int = parameter(4, ge=1, help="Cores per job.")
    gpus: int = parameter(0, ge=0, help="GPUs per job.")
    gres: str | None = parameter(None, help="How to request the GPUs (sbatch --gres); gpu:N by default.")
    memory: str = parameter("16GB", help="Memory per job, about 4 GB for each core and GPU.")
    walltime: str = parameter("08:00:00", pattern=r"^[\d:-]+$", help="Time limit per job.")
    prologue: list[str] = parameter([], help="Shell lines to run before the worker, such as module load cuda/12.")
    directives: list[str] = parameter([], help="Further sbatch options, such as --constraint=a100.")
    interface: str | None = parameter(
        None, help="Network interface of this machine that the nodes can reach, such as ib0."
    )
    python: str = parameter(sys.executable, help="Python on the nodes, with the same version of emlab.")
    scratch: str | None = parameter(None, help="A folder on the nodes' local disks for Dask's files.")
    idle_timeout: float = parameter(
        600.0, gt=0, unit="s", help="The jobs end when no session has used them for this long."
    )

    @property
    def cpu_workers(self) -> int:
        """Processes on a job's CPU: the cores that no GPU's process needs."""
        return max(1, self.cpus - self.gpus)


def settings_path() -> Path:
    """Where a person's settings are when no file is named; it need not exist."""
    return Path(os.environ.get("XDG_CONFIG_HOME", "~/.config")).expanduser() / "emlab" / "slurm.toml"


def read_settings(path: Path | None) -> SlurmSettings:
    """Settings from a TOML file; without one those of `settings_path`, or the defaults.

    Raises
    ------
    ParameterError
        If the file is missing, not TOML, or says something unknown.
    """
    file = path or settings_path()
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if path is not None:
            raise ParameterError(f"There is no {path}; give a TOML file, see `emlab cluster settings`.") from None
        values = {}
    except (OSError, RecursionError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ParameterError(f"{file} cannot be read as TOML: {error}.") from error
    return validated(SlurmSettings, values, str(file))


def described_settings() -> str:
    """A settings file with every default and what it means."""
    lines = []
    for name, field in SlurmSettings.model_fields.items():
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        lines.append(f"# {field.description}" + (f" [{extra['unit']}]" if extra.get("unit") else ""))
        lines.append(f"# {name} = {_toml(field.default)}")
    return "\n".join(lines) + "\n"


def slurm_cluster(settings: SlurmSettings, folder: Path, security: Any) -> Any:
    """A scheduler in this process, and jobs that are submitted once it is told how many.

    Parameters
    ----------
    folder
        For keys and logs; seen by the nodes.
    security
        Dask's, with paths in ``folder``.

    Raises
    ------
    ProgramError
        If SLURM is not here, or refuses such jobs; the message has its words.
    """
    from dask_jobqueue import SLURMCluster

    sbatch = shutil.which("sbatch")
    if sbatch is None:
        raise ProgramError("There is no sbatch here: start the session on a machine that can submit to SLURM.")
    gres = settings.gres or f"gpu:{settings.gpus}"
    cluster = SLURMCluster(
        queue=settings.partition,
        account=settings.account,
        job_name="emlab",
        cores=settings.cpu_workers + settings.gpus,
        job_cpu=settings.cpus,
        processes=1,
        nanny=False,
        memory=settings.memory,
        walltime=settings.walltime,
        death_timeout=60,
        python=settings.python,
        interface=settings.interface,
        local_directory=settings.scratch,
        log_directory=str(folder / "jobs"),
        job_script_prologue=settings.prologue,
        job_extra_directives=[*settings.directives, *([f"--gres={gres}"] if settings.gpus else [])],
        worker_extra_args=[
            "--resources",
            f"CPU={settings.cpu_workers},GPU={settings.gpus}",
            "--no-dashboard",
            "--preload",
            STATION,
        ],
        scheduler_options={"dashboard_address": "127.0.0.1:0"},
        protocol="tls://",
        security=security,
        silence_logs=False,
    )
    tried = subprocess.run(
        [sbatch, "--test-only"], input=cluster.job_script(), capture_output=True, text=True, check=False
    )
    if tried.returncode:
        cluster.close()
        raise ProgramError(f"SLURM refuses these jobs: {tried.stderr.strip()}. Correct the cluster's settings.")
    return cluster


def _toml(value: Any) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    return '""' if value is None else str(value)
