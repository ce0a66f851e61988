"""The report of a long session: how long it takes, how much it weighs, how fast it opens."""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from emlab.formats.jpeg import write_jpeg
from emlab.model import Accepted, Arrival, Ctf, Micrograph, Movie, Record, Rejected
from emlab.sets import Closing, Ledger, Provenance, Run

_START = 1_760_000_000.0
_PACE = 8.0
_PICTURES = 40
"""Different ones, which the micrographs take in turn."""
_RUNS: tuple[tuple[str, str, tuple[str, ...], dict[str, str]], ...] = (
    ("import", "import_movies", ("arrivals",), {"arrivals": "arrival", "movies": "movie"}),
    ("align", "align_movie", ("movies",), {"micrographs": "micrograph"}),
    ("ctf", "estimate_ctf", ("micrographs",), {"ctfs": "ctf"}),
    ("select", "select_micrographs", ("micrographs", "ctfs"), {"accepted": "accepted", "rejected": "rejected"}),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be chosen."""
    parser.add_argument("--items", type=int, default=20_000)
    parser.add_argument("--keep", type=Path, help="a folder for the session, which stays")


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Write the report of an invented session."""
    items = 1000 if arguments.quick else arguments.items
    with tempfile.TemporaryDirectory() as temporary:
        session = (arguments.keep or Path(temporary)) / "session"
        invent_session(session, items)
        before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        subprocess.run([sys.executable, "-m", "emlab.report", str(session)], check=True, stdout=2, env=environment)
        after, seconds = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() - started
        page = session / "report" / "index.html"
        return {
            "items": items,
            "seconds": seconds,
            "cpu_seconds": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
            "peak_memory_mb": after.ru_maxrss / 1024,
            "megabytes": page.stat().st_size / 1e6,
            **_opened(page),
        }


def invent_session(path: Path, items: int) -> None:
    """Write a session's folder as its engine leaves it: every record, and a picture of each kind per micrograph."""
    path.mkdir(parents=True)
    meta = {
        "uuid": "0" * 32,
        "name": f"{items:,} movies",
        "created_at": repr(_START),
        "state": "finished",
        "workflow": json.dumps({"name": "screening", "title": "Movies: motion, CTF, selection", "protocols": []}),
    }
    ledger = Ledger.create(path / "session.db", meta)
    random = np.random.default_rng(0)
    with ledger.transaction():
        for name, protocol, inputs, outputs in _RUNS:
            run = Run(
                name=name,
                protocol=protocol,
                parameters={"folder": "/data/epu", "pattern": "**/*.tiff"},
                inputs=inputs,
                outputs={},
                digest=name,
                version="0.1.0",
                created_at=_START,
            )
            ledger.add_run(run, outputs)
        for number in range(items):
            at = _START + _PACE * number + 60
            provenance = Provenance(recorded_at=at, seconds=float(random.gamma(9)), latency=0.002, device="cpu")
            for record in _records(number, random):
                ledger.append(type(record).plural, record, provenance)
        for *_, outputs in _RUNS:
            for name in outputs:
                ledger.close_set(name, Closing(status="success", reason=f"{items:,} items done", at=at))
        for number in range(0, items, 500):
            ledger.add_failure(
                "align",
                f"FoilHole_{number}_failed",
                attempt=3,
                final=True,
                error="TruncatedFile",
                message="The file ends after 31 of 40 frames; copy it again.",
                traceback="Traceback (most recent call last):\n" * 12,
            )
    ledger.close()
    _draw(path, items, random)


def _records(number: int, random: np.random.Generator) -> list[Record]:
    key = f"FoilHole_{15_413_853 + number // 3}_Data_{15_414_333 + number % 3}_{number}_20251010_{number:06d}"
    shelf = f"outputs/align/{number // 1000:03d}"
    image: dict[str, Any] = {
        "key": key,
        "acquired_at": _START + _PACE * number,
        "pixel_size": 0.85,
        "voltage": 300.0,
        "spherical_aberration": 2.7,
        "amplitude_contrast": 0.07,
        "grid_square": str(15_400_000 + number // 200),
    }
    early, late = (float(random.gamma(3)) for _ in range(2))
    defocus = float(random.uniform(6000, 22_000))
    astigmatism = float(random.gamma(3) * 80)
    resolution = float(random.gamma(2) * 0.8 + 2.8)
    path = np.cumsum(random.normal(size=(2, 40)) * 0.4, axis=1)
    micrograph = f"{shelf}/{key}.mrc"
    judged: dict[str, Any] = {"key": key, "acquired_at": image["acquired_at"], "micrograph": micrograph}
    return [
        Arrival(key=key, path=f"/data/epu/{key}.tiff", size=10**9, modified=image["acquired_at"], evidence="closed"),
        Movie(path=f"/data/epu/{key}.tiff", frames=40, height=4096, width=4096, dose_per_frame=1.2, **image),
        Micrograph(
            path=micrograph,
            height=4096,
            width=4096,
            thumbnail=f"{shelf}/{key}_thumbnail.jpg",
            shift_y=tuple(path[0].tolist()),
            shift_x=tuple(path[1].tolist()),
            total_motion=early + late,
            early_motion=early,
            late_motion=late,
            **image,
        ),
        Ctf(
            key=key,
            acquired_at=image["acquired_at"],
            micrograph=micrograph,
            defocus_u=defocus + astigmatism,
            defocus_v=defocus,
            defocus_angle=float(random.uniform(-90, 90)),
            astigmatism=astigmatism,
            phase_shift=0.0,
            score=float(random.beta(4, 8)),
            ctf_resolution=resolution,
            ice_density=float(random.gamma(50) / 48),
            picture=f"{shelf}/{key}_ctf.jpg",
        ),
        Rejected(reason=f"CTF resolution {resolution:.1f} Å is above the limit of 5 Å.", **judged)
        if resolution > 5
        else Accepted(reason=f"Within the limit: CTF resolution {resolution:.1f} Å.", **judged),
    ]


def _draw(path: Path, items: int, random: np.random.Generator) -> None:
    """Give each micrograph its pictures: noise, which is as heavy as pictures get."""
    y, x = np.mgrid[-1:1:512j, -1:1:512j]
    for number in range(min(items, _PICTURES)):
        grain = random.normal(size=(512, 512)) * 30
        rings = np.cos((60 + number) * (x**2 + y**2)) ** 2 * 90
        (path / "pictures").mkdir(exist_ok=True)
        write_jpeg(path / "pictures" / f"{number}_thumbnail.jpg", np.clip(128 + grain, 0, 255).astype(np.uint8))
        write_jpeg(path / "pictures" / f"{number}_ctf.jpg", np.clip(60 + rings + grain, 0, 255).astype(np.uint8))
    for number in range(items):
        key = f"FoilHole_{15_413_853 + number // 3}_Data_{15_414_333 + number % 3}_{number}_20251010_{number:06d}"
        shelf = path / f"outputs/align/{number // 1000:03d}"
        shelf.mkdir(parents=True, exist_ok=True)
        for kind in ("thumbnail", "ctf"):
            (shelf / f"{key}_{kind}.jpg").hardlink_to(path / "pictures" / f"{number % _PICTURES}_{kind}.jpg")


def _opened(page: Path) -> dict[str, float]:
    """Open it in Chromium, where there is one: seconds until its figures are drawn, and to sort its table."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        return {}
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        tab = browser.new_page(offline=True)
        started = time.monotonic()
        tab.goto(page.as_uri())
        tab.wait_for_function("document.querySelectorAll('.bqplot rect.bar').length > 60", timeout=120_000)
        opened, started = time.monotonic() - started, time.monotonic()
        tab.locator(".emlab-micrographs thead button").nth(3).click()
        tab.locator(".emlab-micrographs th[aria-sort]").wait_for()
        sorted_in = time.monotonic() - started
        browser.close()
    return {"seconds_to_open": opened, "seconds_to_sort": sorted_in}
