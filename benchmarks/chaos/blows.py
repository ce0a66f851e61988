"""What goes wrong, done for real."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

import emlab
from benchmarks.chaos.clock import Clock
from benchmarks.chaos.disk import Disk
from benchmarks.chaos.witness import Witness
from emlab.engine.control import send_command
from emlab.errors import EngineUnreachable

KILLS = ("engine", "worker", "both")
"""Who is killed."""
FAULTS = ("power", "full", "away", "error", "denied", "hang", "memory", "damage", "clock")
"""The session's disk loses its power, or is full; the movies' disk is away, or gives errors, or may not be read; a
worker hangs, or gets no memory; the database is damaged; the clock is set."""
TIME_LIMIT = 20.0
"""Seconds that an item may take, so that a worker that hangs does not keep the run."""
LONGEST = 3.0
"""Seconds that a fault lasts."""
PAGE = 4096


@dataclass(frozen=True)
class Scene:
    """Where it happens; without disks of its own, only killing and hanging can.

    Attributes
    ----------
    session, movies
        The session's folder; the watched one.
    session_disk, movies_disk
        What they lie on.
    clock
        The session's.
    """

    session: Path
    movies: Path
    witness: Witness
    session_disk: Disk | None
    movies_disk: Disk | None
    clock: Clock | None

    def start(self) -> None:
        """Start the session's engine, if there is none."""
        clock = self.clock.environment if self.clock else {}
        with _environment(clock), emlab.open_session(self.session) as session:
            session.start(gpus="", report_every=0, time_limit=TIME_LIMIT)

    def end(self) -> None:
        """Leave nobody behind, however it went."""
        self.witness.die()
        with suppress(EngineUnreachable, psutil.NoSuchProcess):
            engine = psutil.Process(send_command(self.session, "ping")["pid"])
            _end(engine, engine.children())

    def possible(self) -> tuple[str, ...]:
        """The faults that can be made here."""
        if self.session_disk is None:
            return ("hang",)
        return FAULTS if self.clock else FAULTS[:-1]


def strike(what: str, scene: Scene, rng: random.Random) -> None:
    """Do one of `KILLS` or `FAULTS` to a session that runs."""
    engine = psutil.Process(send_command(scene.session, "ping")["pid"])
    workers = engine.children()
    match what:
        case "engine" | "worker" | "both":
            if what != "engine" and workers:
                _kill(rng.choice(workers))
            if what != "worker":
                _end(engine, workers)
        case "power":
            _lose_power(engine, workers, scene)
        case "full":
            assert scene.session_disk
            filler = scene.session_disk.fill()
            time.sleep(rng.uniform(0, LONGEST))
            filler.unlink()
        case "away":
            assert scene.movies_disk
            scene.movies_disk.unplug()
            time.sleep(rng.uniform(0, LONGEST))
            scene.movies_disk.plug()
        case "error":
            assert scene.movies_disk
            scene.movies_disk.fail()
            time.sleep(rng.uniform(0, LONGEST))
            scene.movies_disk.unplug()
            scene.movies_disk.plug()
        case "denied":
            scene.movies.chmod(0)
            time.sleep(rng.uniform(0, LONGEST))
            scene.movies.chmod(0o755)
        case "hang":
            with suppress(psutil.NoSuchProcess, IndexError):
                rng.choice(workers).suspend()
        case "memory":
            _starve(workers, rng)
        case "damage":
            _end(engine, workers)
            _damage(scene, rng)
        case "clock":
            assert scene.clock
            scene.clock.set(rng.randint(-86_400, 86_400))


def _lose_power(engine: psutil.Process, workers: list[psutil.Process], scene: Scene) -> None:
    """Whoever runs, reads or writes is gone with it."""
    assert scene.session_disk
    scene.session_disk.cut_power()
    _end(engine, workers)
    scene.witness.die()
    scene.session_disk.unplug()
    scene.session_disk.plug()
    scene.witness.look()


def _starve(workers: list[psutil.Process], rng: random.Random) -> None:
    """Give the workers no more memory for a while."""
    before = []
    for worker in workers:
        with suppress(psutil.NoSuchProcess):
            limits = worker.rlimit(psutil.RLIMIT_DATA)
            worker.rlimit(psutil.RLIMIT_DATA, (worker.memory_info().data, limits[1]))
            before.append((worker, limits))
    time.sleep(rng.uniform(0, LONGEST))
    for worker, limits in before:
        with suppress(psutil.NoSuchProcess):
            worker.rlimit(psutil.RLIMIT_DATA, limits)


def _damage(scene: Scene, rng: random.Random) -> None:
    """Break a page of the database, one of the later, where the records are; and repair it."""
    database = scene.session / "session.db"
    pages = database.stat().st_size // PAGE
    scene.witness.die()
    with database.open("r+b") as file:
        file.seek(PAGE * rng.randrange(pages // 3, pages))
        file.write(rng.randbytes(PAGE))
    done = emlab.repair_session(scene.session)
    if done.damaged:
        # Records have other numbers now.
        scene.witness.forget()
    scene.witness.look()


def _end(engine: psutil.Process, workers: list[psutil.Process]) -> None:
    _kill(engine)
    for worker in workers:  # one may hang since before it asked the kernel to die with its engine
        _kill(worker, signal.SIGCONT)
    psutil.wait_procs([engine, *workers])


def _kill(process: psutil.Process, number: int = signal.SIGKILL) -> None:
    with suppress(ProcessLookupError):
        os.kill(process.pid, number)


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    os.environ.update(values)
    try:
        yield
    finally:
        for name in values:
            del os.environ[name]
