"""What the engine costs beside the work, and whether it stays so: many tiny movies through a protocol, and a reader."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil

import emlab
from benchmarks.yardstick import TRANSFORMS, yardstick
from emlab.engine.control import send_command
from emlab.status import status_of

WORKFLOW = {
    "name": "tiny",
    "title": "Tiny",
    "protocols": [
        {
            "name": "import",
            "protocol": "import_movies",
            "parameters": {
                "folder": {"field": "folder"},
                "pixel_size": 1.0,
                "voltage": 300,
                "dose_per_frame": 1.0,
                "expected_count": {"field": "count"},
                "settle_time": 0,
            },
        }
    ],
}
WRITER = """
import sys, time
from pathlib import Path
import numpy as np
from emlab.formats.mrc import write_mrc
root, items, pause = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
image = np.random.default_rng(0).poisson(2.0, size=(2, 32, 32)).astype(np.uint8)
for number in range(items):
    shelf = root / f"GridSquare_{number // 500:04d}"
    shelf.mkdir(exist_ok=True)
    write_mrc(shelf / f"movie_{number:06d}.mrc", image, 1.0)
    time.sleep(pause)
"""
OPENER = """
import sys, time
started = time.perf_counter()
from emlab import open_session
imported = time.perf_counter()
with open_session(sys.argv[1]) as session:
    records = session["movies"]
    len(records), records[-1], records[len(records) // 2]
print(time.perf_counter() - imported, imported - started)
"""
FOLLOWER = """
import sys, time, emlab
waits = []
with emlab.open_session(sys.argv[1]) as session:
    records = session["movies"]
    for number, _ in enumerate(records.follow()):
        waits.append((number, time.time()))
    written = records.to_dataframe(columns=["recorded_at"])["recorded_at"]
    late = sorted(1e3 * (at - written[number]) for number, at in waits)
print(late[len(late) // 2], late[int(len(late) * 0.99)], time.process_time())
"""


WINDOW = 1000
"""Items over which the first and the last cost is taken."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be chosen."""
    parser.add_argument("--items", type=int, default=2000)
    parser.add_argument("--pause", type=float, default=0.0, help="seconds between files, so that workers are free")


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Run a session of tiny movies, written while it runs."""
    items = 200 if arguments.quick else arguments.items
    with tempfile.TemporaryDirectory() as folder, _session(Path(folder), items) as session:
        started = time.monotonic()
        with (
            _script(FOLLOWER, str(session.path)) as follower,
            _script(WRITER, str(Path(folder) / "in"), str(items), str(arguments.pause)) as writer,
        ):
            looks = list(_looks(session))
            (median, worst, reader_cpu), _ = _numbers(follower), writer.wait()
        seconds = time.monotonic() - started
        with _script(OPENER, str(session.path)) as opener:
            opened, imported = _numbers(opener)
        status = status_of(session)
        cost = 1e3 * status["engine"]["cpu_seconds"] / items
        transform = 1e3 * yardstick(10) / TRANSFORMS
        return {
            "items": items,
            "recorded": status["stages"]["import"]["done"],
            "seconds": seconds,
            "engine_cpu_ms_per_item": cost,
            "engine_cpu_ms_per_record": status["engine"]["cpu_ms_per_record"],
            "first_thousand_cpu_ms_per_item": _cost(looks, 0, min(WINDOW, items)),
            "last_thousand_cpu_ms_per_item": _cost(looks, max(0, items - WINDOW), items),
            "transform_cpu_ms": transform,
            "engine_transforms_per_item": cost / transform,
            "memory_mb_at_first_thousand": next(look.memory for look in looks if look.done >= min(WINDOW, items) // 2),
            "memory_mb_at_end": [look.memory for look in looks if look.memory][-1],
            "database_mb": (session.path / "session.db").stat().st_size / 1e6,
            "fullest_folder": max(len(files) + len(folders) for _, folders, files in os.walk(session.path)),
            "open_seconds": opened,
            "import_seconds": imported,
            "start_latency_ms_median": status["engine"]["latency_ms"],
            "start_latency_ms_99": status["engine"]["latency_99_ms"],
            "reader_latency_ms_median": median,
            "reader_latency_ms_99": worst,
            "reader_cpu_seconds": reader_cpu,
        }


@dataclass(frozen=True)
class _Look:
    """How far the engine was, what it had cost (CPU-seconds), and what it held (MB)."""

    done: int
    cpu: float
    memory: float


@contextmanager
def _session(root: Path, items: int) -> Iterator[emlab.Session]:
    (root / "in").mkdir()
    (root / "tiny.json").write_text(json.dumps(WORKFLOW))
    with emlab.create_session(root / "session", root / "tiny.json", folder=root / "in", count=items) as session:
        session.start(gpus="", report_every=0)
        yield session


def _looks(session: emlab.Session) -> Iterator[_Look]:
    """Look at the engine ten times a second until it has ended."""
    engine = psutil.Process(send_command(session.path, "ping")["pid"])
    while engine.status() != psutil.STATUS_ZOMBIE:
        times, memory = engine.cpu_times(), engine.memory_info().rss
        yield _Look(len(session["movies"]), times.user + times.system, memory / 1e6)
        time.sleep(0.1)


def _cost(looks: list[_Look], first: int, last: int) -> float:
    """CPU of an item between two numbers of items, ms."""
    done = [look.done for look in looks]
    begin, end = np.interp([first, last], done, [look.cpu for look in looks])
    return float(1e3 * (end - begin) / (last - first))


def _script(source: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", source, *arguments], stdout=subprocess.PIPE, text=True)


def _numbers(script: subprocess.Popen[str]) -> list[float]:
    return [float(text) for text in script.communicate()[0].split()]
