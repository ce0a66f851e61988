"""Kill the engine, its workers, or both, at random moments, and count what was lost, done twice or torn."""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import psutil

import emlab
from emlab.errors import FormatError
from emlab.formats.completeness import check_complete
from emlab.formats.star import read_star
from emlab.session import Session
from emlab.simulation import simulate

FOLLOWER = """
import sys, emlab
with emlab.open_session(sys.argv[1]) as session:
    for record in session["ctfs"].follow():
        print(record.key)
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be chosen."""
    parser.add_argument("--items", type=int, default=300)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--size", type=int, default=256, help="of the movies, px")
    parser.add_argument("--seed", type=int, default=0)


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Run a session to its end through kills, and account for every item."""
    items, kills = (20, 6) if arguments.quick else (arguments.items, arguments.kills)
    rng = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as folder:
        movies = Path(folder) / "movies"
        written = [
            movie.path.stem
            for movie in simulate(movies, movies=items, pace=0, size=(arguments.size,) * 2, frames=6, seed=1)
        ]
        session = emlab.create_session(
            Path(folder) / "session",
            movies=movies,
            gain_reference=movies / "gain.tif",
            expected_count=items,
            **{"import.settle_time": 0},
        )
        follower = subprocess.Popen(
            [sys.executable, "-c", FOLLOWER, str(session.path)], stdout=subprocess.PIPE, text=True
        )
        started = time.monotonic()
        struck = Counter(_kills(session, items, kills, rng))
        session.start(gpus="", report_every=0)
        followed, _ = follower.communicate()
        while session.is_running:
            session.wait(0.2)
        figures = {
            "items": items,
            "kills": sum(struck.values()),
            **{f"kills_{whom}": count for whom, count in sorted(struck.items())},
            "seconds": time.monotonic() - started,
            **_account(session, written, followed.split()),
        }
        session.close()
        return figures


def _kills(session: Session, items: int, kills: int, rng: random.Random) -> Iterator[str]:
    """Kill someone each time that so many records are there, and start the engine again; yields whom."""
    last = 3 * items
    for goal in sorted(rng.uniform(0, 0.97 * last) for _ in range(kills)):
        session.start(gpus="", report_every=0)
        engine = _engine(session)
        while engine.is_running() and _recorded(session) < goal:
            session.wait(0.05)
        time.sleep(rng.uniform(0, 0.05))
        whom = rng.choice(("engine", "worker", "both"))
        _strike(engine, whom, rng)
        yield whom


def _strike(engine: psutil.Process, whom: str, rng: random.Random) -> None:
    workers = engine.children()
    if whom in {"worker", "both"} and workers:
        _kill(rng.choice(workers).pid)
    if whom in {"engine", "both"}:
        _kill(engine.pid)
        psutil.wait_procs([engine, *workers])


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _engine(session: Session) -> psutil.Process:
    from emlab.engine.control import send_command

    return psutil.Process(send_command(session.path, "ping")["pid"])


def _recorded(session: Session) -> int:
    return sum(len(session[name]) for name in ("micrographs", "ctfs", "accepted", "rejected"))


def _account(session: Session, written: list[str], followed: list[str]) -> dict[str, Any]:
    """Compare what was recorded with what was written, and every output with what a whole file is."""
    lost = twice = torn = 0
    failed = {failure.key for failure in session.failures() if failure.final}
    for names in (("movies",), ("micrographs",), ("ctfs",), ("accepted", "rejected")):
        keys = Counter(record.key for name in names for record in session[name])
        lost += len(set(written) - set(keys) - failed)
        twice += sum(count - 1 for count in keys.values())
    seen = Counter(followed)
    lost += len({record.key for record in session["ctfs"]} - set(seen))
    twice += sum(count - 1 for count in seen.values())
    for name in ("micrographs", "ctfs"):
        for record in session[name]:
            torn += sum(not _is_whole(session.file(path)) for path in _outputs(record))
    strays = len(list((session.path / "outputs").rglob("*.tmp")))
    return {"failed": len(failed), "lost": lost, "twice": twice, "torn": torn, "strays": strays}


def _outputs(record: Any) -> list[str]:
    values = (getattr(record, field.name) for field in fields(record))
    return [value for value in values if isinstance(value, str) and value.startswith("outputs/")]


def _is_whole(path: Path) -> bool:
    try:
        match path.suffix:
            case ".mrc":
                return check_complete(path).state == "complete"
            case ".jpg":
                data = path.read_bytes()
                return data[:2] == b"\xff\xd8" and data[-2:] == b"\xff\xd9"
            case ".star":
                return bool(read_star(path))
    except (OSError, FormatError):
        return False
    return path.stat().st_size > 0
