"""Kill the engine, its workers, or both, and make everything else go wrong, at random moments: nothing may be lost.

Movies come all the while, some of them damaged; a reader in another process follows. What is lost, done twice or torn
is counted at the end.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import emlab
from benchmarks.chaos.account import account, recorded
from benchmarks.chaos.blows import FAULTS, KILLS, Scene, strike
from benchmarks.chaos.clock import Clock
from benchmarks.chaos.disk import Disk
from benchmarks.chaos.movies import Microscope
from benchmarks.chaos.witness import Witness
from emlab.errors import EngineUnreachable

PATIENCE = 60.0
"""Seconds that a blow waits for so many records; every fourth does not, and falls while the engine starts."""
END = 3600.0
"""Seconds in which what is left is done."""
_BARE = "EMLAB_CHAOS_WITHOUT_OVERRIDE"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be chosen."""
    parser.add_argument("--items", type=int, default=300)
    parser.add_argument("--kills", type=int, default=100, help=f"of {', '.join(KILLS)}")
    parser.add_argument("--faults", type=int, default=45, help=f"of {', '.join(FAULTS)}; they need root")
    parser.add_argument("--only", nargs="+", choices=FAULTS, help="faults to choose from")
    parser.add_argument("--minutes", type=float, default=math.inf, help="over which it is spread")
    parser.add_argument("--size", type=int, default=256, help="of the movies, px")
    parser.add_argument("--seed", type=int, default=0)


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Run a session to its end through kills and faults, and account for every item."""
    items, kills, faults = (20, 6, 9) if arguments.quick else (arguments.items, arguments.kills, arguments.faults)
    if faults:
        _give_up_override()
    rng = random.Random(arguments.seed)
    with ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        disks: list[Disk | None] = [None, None]
        if faults:
            room = items * 12 * arguments.size**2 + 2**27
            disks = [Disk(root / f"{name}.img", root / name, room) for name in ("sessions", "pictures")]
            for disk in disks:
                stack.callback(disk.close)
        session, movies = root / "sessions" / "session", root / "pictures" / "movies"
        clock = Clock(root) if faults and Clock.is_possible() else None
        scene = Scene(session, movies, Witness(session, root / "seen"), *disks, clock)
        microscope = Microscope(movies, root / "models", items, arguments.size, bad=bool(faults))
        with emlab.create_session(
            session,
            movies=movies,
            gain_reference=microscope.gain,
            pixel_size=1.0,
            voltage=300,
            dose_per_frame=1.0,
            **{"import.settle_time": 0, "import.idle_timeout": 1e6},
        ):
            scene.witness.look()
        stack.callback(scene.end)
        possible = arguments.only or scene.possible()
        blows = [rng.choice(KILLS) for _ in range(kills)]
        blows += [possible[number % len(possible)] for number in range(faults)]
        rng.shuffle(blows)
        started = time.monotonic()
        struck = Counter(_strikes(scene, microscope, blows, items, 60 * arguments.minutes, rng))
        breakdowns = _finish(scene, microscope, items)
        with emlab.open_session(session) as finished:
            return {
                "items": items,
                "kills": sum(struck[whom] for whom in KILLS),
                "faults": sum(struck[what] for what in FAULTS),
                **{what: struck[what] for what in (*KILLS, *FAULTS)},
                "breakdowns": breakdowns,
                "seconds": time.monotonic() - started,
                **account(finished, microscope.written, scene.witness.seen()),
            }


def _strikes(
    scene: Scene, microscope: Microscope, blows: list[str], items: int, seconds: float, rng: random.Random
) -> Iterator[str]:
    """Strike again and again while movies come, the last of which come after the last blow; yields what was done."""
    started = time.monotonic()
    for number, blow in enumerate(blows, 1):
        before = len(microscope.written)
        microscope.write(items * number // (len(blows) + 1))
        goal = 3 * before + rng.uniform(0, 3) * (len(microscope.written) - before)
        share = seconds * number / (len(blows) + 1)
        patience = PATIENCE if rng.random() < 0.75 else rng.uniform(0, 3)
        scene.start()
        until = started + share if math.isfinite(share) else time.monotonic() + patience
        with emlab.open_session(scene.session) as session:
            while session.is_running and recorded(session) < goal and time.monotonic() < until:
                session.wait(0.05)
        time.sleep(rng.uniform(0, 0.05))
        print(f"{time.monotonic() - started:6.0f} s  {len(microscope.written):5} movies  {blow}", file=sys.stderr)
        scene.start()
        strike(blow, scene, rng)
        yield blow


def _finish(scene: Scene, microscope: Microscope, items: int) -> int:
    """Let the rest come and be done; gives how often the engine had to be started although nobody struck."""
    microscope.write(items)
    breakdowns, deadline = -1, time.monotonic() + END
    with emlab.open_session(scene.session) as session:
        while session.state != "finished":
            if not session.is_running:
                scene.start()
                breakdowns += 1
            if (
                recorded(session) >= 3 * sum(movie.whole for movie in microscope.written)
                and session["arrivals"].is_open
            ):
                try:
                    session.stop()
                except EngineUnreachable:
                    continue
            if time.monotonic() > deadline:
                raise TimeoutError(f"it is not done after {END:g} s: {session.explain()}")
            session.wait(0.5)
        while session.is_running:
            session.wait(0.2)
    scene.witness.wait()
    return max(0, breakdowns)


def _give_up_override() -> None:
    """Run as a root that file permissions hold for, so that they can be taken away."""
    if os.getuid() == 0 and _BARE not in os.environ:
        os.environ[_BARE] = "1"
        without = "-dac_override,-dac_read_search"
        command = ["setpriv", "--bounding-set", without, "--inh-caps", without]
        os.execvp(command[0], [*command, sys.executable, "-m", "benchmarks", *sys.argv[1:]])
