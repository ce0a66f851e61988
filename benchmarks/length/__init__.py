"""What it costs to read a long session: to open one of 100,000 movies and 5,000,000 particles, and to follow it."""

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
from benchmarks.length.filled import FilledSession
from emlab.model import Picks
from emlab.sets import Ledger, Provenance, Run

PER_MICROGRAPH = 250
SHELF = 1000
"""Micrographs whose files share a folder."""

READER = """
import json, sys, time
from resource import RUSAGE_SELF, getrusage

figures = {}
def took(name, work):
    wall, cpu = time.monotonic(), time.process_time()
    result = work()
    figures[f"{name}_seconds"], figures[f"{name}_cpu_seconds"] = time.monotonic() - wall, time.process_time() - cpu
    return result

def imported():
    import pandas
    from emlab import open_session
    from emlab.monitors import Items, Overviewer
    return open_session, Items, Overviewer

open_session, Items, Overviewer = took("import", imported)
def first_cell():
    session = open_session(sys.argv[1])
    ctfs = session["ctfs"]
    return session, len(ctfs), ctfs[-1], ctfs.to_dataframe(columns=["key", "defocus_u", "ctf_resolution"])

session, count, last, table = took("open", first_cell)
assert count == len(table) == int(sys.argv[2]) and last.key == table["key"].iloc[-1]
items = Items(session)
took("items", items.update)
assert len(items) == count
overviewer = Overviewer(session, items)
took("overview", overviewer.update)
took("items_again", items.update)
took("overview_again", overviewer.update)
took("since", lambda: session["ctfs"].since(count - 100))
took("get", lambda: session["ctfs"].get(last.key))
if int(sys.argv[3]):
    from emlab.formats.array import read_array
    picks = session["picks"]
    total = took("particles_count", lambda: sum(picks.columns(["count"])["count"]))
    assert total == int(sys.argv[3]), total
    took("particles_last", lambda: [read_array(session.file(record.coordinates)) for record in picks[-10:]])
    figures["particles"] = total
figures["peak_mb"] = getrusage(RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps(figures))
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be chosen."""
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--particles", type=int, default=5_000_000)


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Fill a session, and read it in a process of its own; imports are counted apart."""
    items = 2000 if arguments.quick else arguments.items
    picked = min(items, 200 if arguments.quick else arguments.particles // PER_MICROGRAPH)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "session"
        FilledSession(path, items).close()
        began = time.process_time()
        _pick(path, picked)
        filling = time.process_time() - began
        command = [sys.executable, "-c", READER, str(path), str(items), str(picked * PER_MICROGRAPH)]
        read = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
        fullest = max(sum(1 for _ in place.iterdir()) for place in path.rglob("*") if place.is_dir())
        size = (path / "session.db").stat().st_size
    return {
        "items": items,
        **read,
        "record_particles_ms": 1e3 * filling / max(picked, 1),
        "database_mb": size / 1e6,
        "fullest_folder": fullest,
    }


def _pick(path: Path, micrographs: int) -> None:
    """Have particles found on the first micrographs, as `pick_particles` records them."""
    with emlab.open_session(path) as session:
        keys = session["micrographs"].columns(["key"])["key"]
    ledger = Ledger(path / "session.db")
    given = {"protocol": "pick_particles", "parameters": {}, "inputs": ("micrographs",), "outputs": {}}
    with ledger.transaction():
        ledger.add_run(Run(name="pick", digest="pick", version="", created_at=0.0, **given), {"picks": "picks"})
    random = np.random.default_rng(3)
    for first in range(0, micrographs, SHELF):
        shelf = path / f"outputs/pick/{first // SHELF:03d}"
        shelf.mkdir(parents=True)
        with ledger.transaction():
            for number in range(first, min(first + SHELF, micrographs)):
                key, scale = keys[number], np.float32([5760, 4092, 10])
                np.save(shelf / f"{key}.npy", random.random((PER_MICROGRAPH, 3), np.float32) * scale)
                picks = Picks(
                    key=key,
                    pixel_size=0.85,
                    voltage=300.0,
                    spherical_aberration=2.7,
                    amplitude_contrast=0.07,
                    defocus_u=11_000.0,
                    defocus_v=10_900.0,
                    defocus_angle=30.0,
                    phase_shift=0.0,
                    micrograph=f"align/{key}.mrc",
                    coordinates=f"outputs/pick/{shelf.name}/{key}.npy",
                    count=PER_MICROGRAPH,
                    diameter=150.0,
                    mean_score=5.0,
                )
                ledger.append("picks", picks, Provenance(recorded_at=0.0))
    ledger.close()
