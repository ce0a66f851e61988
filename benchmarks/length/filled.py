"""A session's folder with as many micrographs as one likes, as its engine would have written it, in seconds."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
from scipy.ndimage import gaussian_filter

import emlab
from emlab.engine.lock import SessionLock
from emlab.model import Accepted, Arrival, Ctf, Micrograph, Movie, Record, Rejected
from emlab.protocols import PROTOCOLS
from emlab.sets import Ledger, Provenance, Run

RUNS = (
    ("import", "import_movies", ("arrivals",), {"arrivals": "arrival", "movies": "movie"}),
    ("align", "align_movie", ("movies",), {"micrographs": "micrograph"}),
    ("ctf", "estimate_ctf", ("micrographs",), {"ctfs": "ctf"}),
    ("select", "select_micrographs", ("micrographs", "ctfs"), {"accepted": "accepted", "rejected": "rejected"}),
)
GIVEN = {"import": {"folder": "/data/epu", "pixel_size": 0.85, "voltage": 300.0}}
PERIOD = 7.2
"""Seconds between movies: 500 an hour."""
HOLES = 220
"""Per grid square."""
FRAMES = 40
PICTURES = 50
"""Different pictures; items share them, so that 20,000 take no room."""


class FilledSession:
    """A session that looks as if ``items`` movies had been taken until now, with drifts, steps and bad regions.

    Its lock is held until `close`, so that it counts as running.

    Attributes
    ----------
    count, newest
        How many movies there are, and the newest one's name.
    """

    def __init__(self, path: Path, items: int) -> None:
        path.mkdir(parents=True)
        self.path = path
        self._random = np.random.default_rng(7)
        self._first = time.time() - items * PERIOD
        self.count = 0
        self.newest = ""
        self._lock = SessionLock(path)
        meta = {
            "uuid": f"{self._random.integers(2**63):032x}",
            "name": "apoferritin grid 7",
            "created_at": repr(self._first),
            "state": "running",
            "workflow": json.dumps({"name": "screening", "title": "Movies: motion, CTF, selection", "protocols": []}),
        }
        self._ledger = Ledger.create(path / "session.db", meta)
        self._draw_pictures()
        with self._ledger.transaction():
            for name, protocol, inputs, outputs in RUNS:
                parameters = PROTOCOLS[protocol].parameters.model_validate(GIVEN.get(name, {})).model_dump()
                run = Run(
                    name=name,
                    protocol=protocol,
                    parameters=parameters,
                    inputs=inputs,
                    outputs={},
                    digest=name,
                    version=emlab.__version__,
                    created_at=self._first,
                )
                self._ledger.add_run(run, outputs)
        self.add(items)

    def add(self, count: int) -> None:
        """Append the records of so many more movies, in one transaction."""
        with self._ledger.transaction():
            for _ in range(count):
                for record in self._records(self.count):
                    at = self._first + self.count * PERIOD + 8.0
                    provenance = Provenance(
                        recorded_at=at, seconds=3.1, latency=0.001, worker="cpu-0", device="cpu", attempt=1
                    )
                    self._ledger.append(type(record).plural, record, provenance)
                self.count += 1
        self._ledger.checkpoint()

    def close(self) -> None:
        """Give the session up."""
        self._lock.release()
        self._ledger.close()

    def _records(self, number: int) -> list[Record]:
        random = self._random
        square, hole = divmod(number, HOLES)
        key = f"FoilHole_{29_384_000 + number}_Data_{15_414_333 + number % 6}_{number % 9}_20261122_{number:06d}"
        self.newest = key
        taken = {"key": key, "acquired_at": self._first + number * PERIOD}
        row, column = divmod(hole, 15)
        image: dict[str, Any] = {
            **taken,
            "pixel_size": 0.85,
            "voltage": 300.0,
            "spherical_aberration": 2.7,
            "amplitude_contrast": 0.07,
            "grid_square": f"GridSquare_{8_000_000 + square}",
            "hole": str(29_384_000 + number),
            "stage_x": 1e6 * (square % 10) + 2.4e4 * column,
            "stage_y": 1e6 * (square // 10) + 2.4e4 * row,
            "stage_tilt": 0.0,
            "target_defocus": (8000.0, 11_000.0, 14_000.0, 17_000.0)[number % 4],
        }
        bad = square % 7 == 3 and column > 9
        ice = float(np.exp(random.normal(0.5 if bad else 0.08, 0.12)))
        resolution = float(2.6 + random.gamma(2.0, 0.25) + (3.5 * random.random() if bad else 0.0))
        if random.random() < 0.01:
            resolution = float(random.uniform(9, 25))
        steps = random.normal(0, 1, (FRAMES, 2)) * np.geomspace(2.2, 0.35, FRAMES)[:, None] + (0.06, -0.04)
        steps[0] = 0
        lengths = np.hypot(*steps.T)
        defocus = image["target_defocus"] + random.normal(0, 350) + 400 * np.sin(number / 900)
        astigmatism = float(abs(random.normal(110, 60)) + (500 if number % 5000 > 4700 else 0))
        missed = []
        if resolution > 8:
            missed.append(f"CTF resolution {resolution:.3g} Å is above the limit of 8 Å")
        if ice > 1.5:
            missed.append(f"Ice ring {ice:.3g} is above the limit of 1.5")
        decision = Rejected if missed else Accepted
        name = f"{number % PICTURES:02d}"
        movie, path = f"/data/epu/{key}.tiff", f"align/{key}.mrc"
        return [
            Arrival(
                path=movie,
                size=640_000_000,
                modified=taken["acquired_at"],
                evidence="closed",
                **taken,
            ),
            Movie(path=movie, frames=FRAMES, height=4092, width=5760, dose_per_frame=1.0, **image),
            Micrograph(
                path=path,
                height=4092,
                width=5760,
                thumbnail=f"pictures/{name}_thumbnail.jpg",
                total_dose=40.0,
                shift_y=tuple(np.cumsum(steps[:, 0]).round(3).tolist()),
                shift_x=tuple(np.cumsum(steps[:, 1]).round(3).tolist()),
                total_motion=float(lengths.sum() * 0.85),
                early_motion=float(lengths[:5].sum() * 0.85),
                late_motion=float(lengths[5:].sum() * 0.85),
                residual_motion=0.4,
                mean_counts=float(1.02 + random.normal(0, 0.015) - 0.2 * (number % 6000 > 5800)),
                **image,
            ),
            Ctf(
                micrograph=path,
                defocus_u=float(defocus + astigmatism / 2),
                defocus_v=float(defocus - astigmatism / 2),
                defocus_angle=float(random.normal(32, 12)),
                astigmatism=astigmatism,
                phase_shift=0.0,
                score=float(np.clip(random.normal(0.32, 0.06), -1, 1)),
                ctf_resolution=resolution,
                ice_density=ice,
                picture=f"pictures/{name}_ctf.jpg",
                **taken,
            ),
            decision(micrograph=path, reason="; ".join(missed) + "." if missed else "Within all 3 limits.", **taken),
        ]

    def _draw_pictures(self) -> None:
        """Particles in noise, and rings."""
        (self.path / "pictures").mkdir()
        y, x = np.mgrid[-256:256, -256:256]
        radius, ray = np.hypot(y, x) / 256, np.arctan2(y, x)
        for number in range(PICTURES):
            random = np.random.default_rng(number)
            particles = np.zeros((512, 512))
            particles[tuple(random.integers(0, 512, (2, 260)))] = -1
            noise = gaussian_filter(random.normal(size=(512, 512)), 0.7)
            image = (
                gaussian_filter(particles, 4) * 60
                + noise * 0.8
                + gaussian_filter(random.normal(size=(512, 512)), 60) * 40
            )
            low, high = np.percentile(image, [0.5, 99.5])
            grey = np.clip(255 * (image - low) / (high - low), 0, 255).astype(np.uint8)
            self._write(f"{number:02d}_thumbnail.jpg", grey[:364])
            rings = np.cos(130 * radius**2 * (1 + 0.03 * np.cos(2 * ray)) + number) * np.exp(-2 * radius)
            rings[:, :256] += random.normal(0, 0.4, (512, 256))
            spectrum = np.clip(128 + 110 * rings, 0, 255).astype(np.uint8)
            spectrum[radius > 1] = 28
            self._write(f"{number:02d}_ctf.jpg", np.repeat(spectrum[:, :, None], 3, axis=2))

    def _write(self, name: str, picture: np.ndarray) -> None:
        (self.path / "pictures" / name).write_bytes(imagecodecs.jpeg8_encode(np.ascontiguousarray(picture), 85))
