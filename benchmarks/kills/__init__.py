"""Kill an engine that records, its workers, or both, thousands of times, and account for every item.

Engines are copies of this process, which has imported everything, so that a life takes a fraction of a second. Half of
the kills fall at any moment, from before the engine has the lock until after its session has ended; the others just
when it commits, or when a worker renames what it wrote.

What the kernel was given outlives whoever is killed. Whether it also reached the disk, which is what `synchronous` and
the journal are for, only a power cut tells (`chaos --only power`).
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.kills.account import Account
from benchmarks.kills.nursery import Life, become_nursery
from benchmarks.kills.tiny import Microscope, create_tiny_session
from emlab.engine import harvest

WHOM = ("engine", "worker", "both")
MOMENTS = ("any", "any", "commit", "rename")
MOST_BELLS = 12
"""A life is ended at one of its first so many commits or renames."""
SOON = 0.003
"""Seconds within which a kill falls after a commit or a rename was begun, mostly much sooner."""
LINGER = 1.5
"""The longest life, in times of what the work of one takes undisturbed."""
ENDINGS = 4
"""Lives of a session after its work is done."""
PATIENCE = 30.0
"""Seconds that a life may take."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be chosen."""
    parser.add_argument("--kills", type=int, default=3000)
    parser.add_argument("--lives", type=int, default=60, help="of the engine of one session")
    parser.add_argument("--seed", type=int, default=0)


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Run session after session until there were enough kills."""
    become_nursery()
    kills = 60 if arguments.quick else arguments.kills
    lives = min(arguments.lives, kills // 2)
    rng = random.Random(arguments.seed)
    harvest.RETRY_AFTER = 0.01
    figures: Counter[str] = Counter()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_RUNTIME_DIR"] = folder
        while sum(figures[whom] for whom in WHOM) < kills:
            session = Path(folder) / f"session_{figures['sessions']}"
            figures.update(_ordeal(session, lives, rng))
            figures["sessions"] += 1
            done = ", ".join(f"{figures[whom]} × {whom}" for whom in WHOM)
            print(f"{time.monotonic() - started:6.0f} s  {figures['items']:6,} items  {done}", file=sys.stderr)
    return {
        "kills": sum(figures[whom] for whom in WHOM),
        **{name: figures[name] for name in (*WHOM, *(f"at_{moment}" for moment in dict.fromkeys(MOMENTS)))},
        **{name: figures[name] for name in ("sessions", "lives", "lives_that_recorded", "items", "records")},
        **{name: figures[name] for name in Account.WRONG},
        "seconds": time.monotonic() - started,
    }


def _ordeal(path: Path, lives: int, rng: random.Random) -> Counter[str]:
    """Have the engine of one session killed again and again, then let it end, and account for its items."""
    figures: Counter[str] = Counter()
    microscope = Microscope(path.with_suffix(".movies"), items=2 * lives)
    create_tiny_session(path, microscope)
    account = Account(path, microscope)
    span = 0.0
    for number in range(lives + ENDINGS):
        microscope.write(2)
        undisturbed = number == 0
        life = Life(path)
        begun = time.monotonic()
        if undisturbed:
            # Two files, each an arrival, a movie, a micrograph and a verdict.
            life.wait(lambda: account.records() >= 8, PATIENCE)
            span = time.monotonic() - begun
        else:
            microscope.write(1)
            figures.update(_end(life, LINGER * span, rng))
        before = account.recorded
        account.look()
        figures["lives"] += 1
        figures["lives_that_recorded"] += account.recorded > before
    Life(path).wait(None, PATIENCE)
    return figures + account.close()


def _end(life: Life, longest: float, rng: random.Random) -> Counter[str]:
    """Kill workers, if it comes so, and then the engine with or without one."""
    figures: Counter[str] = Counter()
    while True:
        whom, moment = rng.choice(WHOM), rng.choice(MOMENTS)
        if moment == "any":
            lives_on = life.sleep(rng.uniform(0, longest))
        else:
            lives_on = life.hear(moment, rng.randint(1, MOST_BELLS), longest) and life.sleep(SOON * rng.random() ** 3)
        if not lives_on:
            return figures
        struck = life.strike(whom, rng)
        figures.update((struck, f"at_{moment}"))
        if struck != "worker":
            return figures
