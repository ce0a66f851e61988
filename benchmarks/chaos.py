"""Kill the engine, its workers, or both, and make everything else go wrong, at random moments: nothing may be lost.

A worker hangs, the movies' folder is away, the disk is full; what is lost, done twice or torn is counted.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import fields
from pathlib import Path
from typing import Any

import psutil

import emlab
from emlab.errors import EngineUnreachable, FormatError
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


KILLED = ("engine", "worker", "both")
FAULTS = ("hang", "away", "full")
TIME_LIMIT = 20.0
"""Seconds that an item may take, so that a worker that hangs does not keep the run."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be chosen."""
    parser.add_argument("--items", type=int, default=300)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--faults", type=int, default=30, help="a worker that hangs, a folder away, a full disk")
    parser.add_argument("--minutes", type=float, default=math.inf, help="after which nothing more goes wrong")
    parser.add_argument("--size", type=int, default=256, help="of the movies, px")
    parser.add_argument("--seed", type=int, default=0)


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Run a session to its end through kills, and account for every item."""
    items, kills, faults = (20, 6, 3) if arguments.quick else (arguments.items, arguments.kills, arguments.faults)
    rng = random.Random(arguments.seed)
    room = items * 8 * arguments.size**2 + 2**28
    with tempfile.TemporaryDirectory() as folder, _disk(Path(folder) / "disk", room if faults else 0) as disk:
        movies = Path(folder) / "movies"
        written = [
            movie.path.stem
            for movie in simulate(movies, movies=items, pace=0, size=(arguments.size,) * 2, frames=6, seed=1)
        ]
        session = emlab.create_session(
            disk / "session",
            movies=movies,
            gain_reference=movies / "gain.tif",
            expected_count=items,
            **{"import.settle_time": 0},
        )
        follower = subprocess.Popen(
            [sys.executable, "-c", FOLLOWER, str(session.path)], stdout=subprocess.PIPE, text=True
        )
        started = time.monotonic()
        blows = ["kill"] * kills + ["fault"] * faults
        rng.shuffle(blows)
        struck = Counter(_strikes(session, movies, items, blows, started + 60 * arguments.minutes, rng))
        session.start(gpus="", report_every=0)
        followed, _ = follower.communicate()
        while session.is_running:
            session.wait(0.2)
        figures = {
            "items": items,
            "kills": sum(struck[whom] for whom in KILLED),
            "faults": sum(struck[what] for what in FAULTS),
            **{what: struck[what] for what in (*KILLED, *FAULTS)},
            "seconds": time.monotonic() - started,
            **_account(session, written, followed.split()),
        }
        session.close()
        return figures


def _strikes(
    session: Session, movies: Path, items: int, blows: list[str], until: float, rng: random.Random
) -> Iterator[str]:
    """Strike each time that so many records are there, and start the engine again; yields whom or what."""
    goals = sorted(rng.uniform(0, 0.97 * 3 * items) for _ in blows)
    for goal, blow in zip(goals, blows, strict=True):
        if time.monotonic() > until:
            return
        session.start(gpus="", report_every=0, time_limit=TIME_LIMIT)
        try:
            engine = _engine(session)
        except EngineUnreachable:
            return  # it found nothing left to do
        while engine.is_running() and _recorded(session) < goal:
            session.wait(0.05)
        time.sleep(rng.uniform(0, 0.05))
        what = rng.choice(KILLED if blow == "kill" else FAULTS)
        _strike(engine, what, session.path, movies, rng)
        yield what


def _strike(engine: psutil.Process, what: str, session: Path, movies: Path, rng: random.Random) -> None:
    try:
        workers = engine.children()
    except psutil.NoSuchProcess:
        workers = []
    match what:
        case "engine" | "worker" | "both":
            if what != "engine" and workers:
                _kill(rng.choice(workers).pid)
            if what != "worker":
                _kill(engine.pid)
                psutil.wait_procs([engine, *workers])
        case "hang":
            with suppress(psutil.NoSuchProcess, IndexError):
                rng.choice(workers).suspend()
        case "away":
            away = movies.rename(movies.with_name("away"))
            time.sleep(rng.uniform(0, 3))
            away.rename(movies)
        case "full":
            _fill_for_a_moment(session.parent, rng)


def _fill_for_a_moment(disk: Path, rng: random.Random) -> None:
    filler = disk / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(2**20))
    time.sleep(rng.uniform(0, 3))
    filler.unlink()


@contextmanager
def _disk(place: Path, room: int) -> Iterator[Path]:
    """A folder; with ``room`` bytes a file system of its own, that can be filled, which only root can make."""
    place.mkdir()
    if not room:
        yield place
        return
    mount = ["mount", "-t", "tmpfs", "-o", f"size={room}", "tmpfs", str(place)]
    if os.getuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        sys.exit("No file system can be mounted here, and without one no disk can be filled: run it as root.")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


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
