"""The same session on this machine, through Dask, and through SLURM where it answers: how fast, and whether alike."""

from __future__ import annotations

import argparse
import dataclasses
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import emlab
from emlab.session import Session
from emlab.simulation import simulate
from emlab.status import status_of

SLURM = 'cpus = {workers}\nmemory = "4GB"\nwalltime = "01:00:00"\nidle_timeout = 1\ninterface = "{interface}"\n'
COLUMNS = ("seconds", "first_result_seconds", "engine_cpu_ms_per_record", "latency_ms", "latency_99_ms", "alike")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be chosen."""
    parser.add_argument("--items", type=int, default=24)
    parser.add_argument("--size", type=int, default=256, help="of the movies, px")
    parser.add_argument("--workers", type=int, default=2, help="processes on the CPU")
    parser.add_argument("--interface", default="lo", help="network interface by which SLURM's nodes reach this machine")
    parser.add_argument("--partition", help="of SLURM; the site's default otherwise")


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Run the session once on each executor."""
    items = 4 if arguments.quick else arguments.items
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        movies = root / "movies"
        written = len(list(simulate(movies, movies=items, pace=0, size=(arguments.size,) * 2, frames=6, seed=1)))
        settings = root / "slurm.toml"
        settings.write_text(SLURM.format(workers=arguments.workers, interface=arguments.interface))
        if arguments.partition:
            settings.write_text(settings.read_text() + f'partition = "{arguments.partition}"\n')
        os.environ["XDG_STATE_HOME"] = str(root / "state")
        choices = {"local": "local", "dask": "dask"} | ({"slurm": f"slurm:{settings}"} if _slurm_answers() else {})
        figures: dict[str, Any] = {"items": written, "workers": arguments.workers}
        reference: dict[str, Any] = {}
        print(f"{'':8}" + "".join(f"{column:>26}" for column in COLUMNS), file=sys.stderr)
        for name, choice in choices.items():
            found, records = _measured(root / name, movies, choice, written, arguments.workers)
            reference = reference or records
            found["alike"] = records == reference
            print(f"{name:8}" + "".join(f"{_shown(found[column]):>26}" for column in COLUMNS), file=sys.stderr)
            figures |= {f"{name}_{column}": value for column, value in found.items()}
        return figures


def _measured(path: Path, movies: Path, choice: str, items: int, workers: int) -> tuple[dict[str, Any], dict[str, Any]]:
    session = emlab.create_session(
        path,
        movies=movies,
        gain_reference=movies / "gain.tif",
        expected_count=items,
        **{"import.settle_time": 0},
    )
    started = time.monotonic()
    session.start(executor=choice, workers=workers, gpus="", report_every=0)
    first = None
    while session.is_running:
        session.wait(0.5)
        if first is None and len(session["micrographs"]):
            first = time.monotonic()
    ended = time.monotonic()
    engine = status_of(session)["engine"]
    found = {
        "seconds": ended - started,
        "first_result_seconds": (first or ended) - started,
        "failed": len(session.failures()),
        **{name: engine[source] for name, source in _FIGURES.items()},
    }
    records = _records(session)
    session.close()
    return found, records


_FIGURES = {
    "engine_cpu_ms_per_record": "cpu_ms_per_record",
    "latency_ms": "latency_ms",
    "latency_99_ms": "latency_99_ms",
}


def _records(session: Session) -> dict[str, Any]:
    return {
        name: {record.key: dataclasses.asdict(record) for record in session[name]}
        for name in ("movies", "micrographs", "ctfs", "accepted", "rejected")
    }


def _slurm_answers() -> bool:
    if shutil.which("sinfo") is None:
        return False
    return subprocess.run(["sinfo"], capture_output=True, check=False).returncode == 0


def _shown(value: float | bool | None) -> str:
    return "–" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
