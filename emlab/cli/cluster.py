"""``emlab cluster start``, ``status``, ``stop``, ``settings``: jobs of a SLURM cluster that sessions share."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from emlab.cli.terminal import console
from emlab.errors import ProgramError

if TYPE_CHECKING:
    from emlab.engine.executors.cluster import Cluster

SETTINGS = typer.Argument(None, help="A TOML file of settings; see `emlab cluster settings`.")


def commands() -> typer.Typer:
    """The commands, in a group of their own."""
    group = typer.Typer(
        help="Manage SLURM jobs that sessions share (`emlab start --executor slurm`).", no_args_is_help=True
    )
    for command in (start, status, stop, settings):
        group.command()(command)
    return group


def start(settings: Path = SETTINGS) -> None:
    """Submit the jobs and keep them running; they end once no session has used them for a while."""
    cluster = _cluster(settings)
    started = cluster.start()
    console.print(
        f"The cluster {'is running' if started else 'was already running'}. Next: emlab start SESSION --executor "
        f"slurm{f':{settings}' if settings else ''}. Its log is {cluster.folder / 'cluster.log'}"
    )


def status(settings: Path = SETTINGS) -> None:
    """List the cluster's workers."""
    cluster = _cluster(settings)
    if not cluster.is_running:
        console.print("The cluster is not running. `emlab cluster start` starts it.")
        return
    with cluster.client(asynchronous=False) as client:
        found = client.scheduler_info()
    workers = found["workers"].values()
    console.print(f"{found['address']}: {len(workers)} workers")
    for worker in workers:
        has = ", ".join(f"{number:g} {name}" for name, number in sorted(worker["resources"].items()) if number)
        console.print(f"  {worker['name']} on {worker['host']}: {has}")


def stop(settings: Path = SETTINGS) -> None:
    """End the jobs; sessions that use them wait until the cluster is started again."""
    ended = _cluster(settings).stop()
    console.print("The cluster has ended." if ended else "The cluster was not running.")


def settings() -> None:
    """Print a settings file with every setting, to edit."""
    _need()
    from emlab.engine.executors.slurm import described_settings, settings_path

    console.print(f"# Save it as {settings_path()}, or anywhere else and name it with slurm:FILE.")
    print(described_settings(), end="")


def _cluster(file: Path | None) -> Cluster:
    _need()
    from emlab.engine.executors.cluster import Cluster

    return Cluster.of(file)


def _need() -> None:
    if find_spec("distributed") is None or find_spec("dask_jobqueue") is None:
        raise ProgramError("Clusters need Dask. Install it: pip install 'emlab[cluster]'.")
