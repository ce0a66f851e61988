"""What the engine costs beside the work: many tiny micrographs through one protocol, and a reader that follows."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

import emlab
from emlab.formats.mrc import write_mrc
from emlab.status import status_of

WORKFLOW = {
    "name": "tiny",
    "title": "Tiny",
    "protocols": [
        {
            "name": "import",
            "protocol": "import_micrographs",
            "parameters": {
                "folder": {"field": "folder"},
                "pixel_size": 1.0,
                "voltage": 300,
                "expected_count": {"field": "count"},
                "settle_time": 0,
            },
        }
    ],
}
FOLLOWER = """
import sys, time, emlab
waits = []
with emlab.open_session(sys.argv[1]) as session:
    records = session["micrographs"]
    for number, _ in enumerate(records.follow()):
        waits.append((number, time.time()))
    written = records.to_dataframe(columns=["recorded_at"])["recorded_at"]
    late = sorted(1e3 * (at - written[number]) for number, at in waits)
print(late[len(late) // 2], late[int(len(late) * 0.99)], time.process_time())
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be chosen."""
    parser.add_argument("--items", type=int, default=2000)
    parser.add_argument("--pause", type=float, default=0.0, help="seconds between files, so that workers are free")


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Run a session of tiny micrographs, written while it runs."""
    items = 200 if arguments.quick else arguments.items
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "in").mkdir()
        (root / "tiny.json").write_text(json.dumps(WORKFLOW))
        session = emlab.create_session(root / "session", root / "tiny.json", folder=root / "in", count=items)
        follower = subprocess.Popen(
            [sys.executable, "-c", FOLLOWER, str(session.path)], stdout=subprocess.PIPE, text=True
        )
        session.start(gpus="", report_every=0)
        image = np.random.default_rng(0).normal(size=(64, 64)).astype(np.float32)
        started = time.monotonic()
        for number in range(items):
            shelf = root / "in" / f"{number // 500:04d}"
            shelf.mkdir(exist_ok=True)
            write_mrc(shelf / f"micrograph_{number:06d}.mrc", image, 1.0)
            time.sleep(arguments.pause)
        output, _ = follower.communicate()
        seconds = time.monotonic() - started
        median, worst, cpu = (float(text) for text in output.split())
        status = status_of(session)
        session.close()
        engine = status["engine"]
        return {
            "items": items,
            "recorded": status["stages"]["import"]["done"],
            "seconds": seconds,
            "engine_cpu_ms_per_record": engine["cpu_ms_per_record"],
            "start_latency_ms_median": engine["latency_ms"],
            "start_latency_ms_99": engine["latency_99_ms"],
            "reader_latency_ms_median": median,
            "reader_latency_ms_99": worst,
            "reader_cpu_seconds": cpu,
        }
