"""Fixtures for every test."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import imagecodecs
import numpy as np
import pytest

import emlab
from emlab.engine.lock import SessionLock
from emlab.formats.array import write_array
from emlab.formats.mrc import write_mrc
from emlab.model import (
    Accepted,
    Arrival,
    Ctf,
    Imaged,
    Micrograph,
    Movie,
    Particles,
    Picks,
    Record,
    Rejected,
    shared,
)
from emlab.monitors.notices import VARIABLE, address_book
from emlab.sets import Closing, Ledger, Provenance, Run

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="session")
def reference_data() -> Path:
    """Real and simulated data beside the checkout; the test is skipped where they are absent."""
    folder = Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"there is no reference data at {folder}")
    return folder


@pytest.fixture
def reference_defects(reference_data: Path, tmp_path: Path) -> Path:
    """The bad pixels of the reference TIFFs as RELION counts them; the file beside these counts the rows as stored."""
    lines = (reference_data / "movies" / "session_1k" / "defects.txt").read_text().splitlines()
    (tmp_path / "reference").mkdir()
    path = tmp_path / "reference" / "defects.txt"
    with path.open("w") as file:
        for line in lines:
            x, y, width, height = map(int, line.split())
            print(x, 1024 - y - height, width, height, file=file)
    return path


class InventedSession:
    """A session's folder as its engine writes it: records, failures, pictures; running until `end`.

    Item number n is called ``item_n``, was acquired at ``START`` + 30·n seconds and recorded 10 s later. Of each grid
    square come ten, two columns of five holes 3 µm apart.
    """

    START = 1_700_000_000.0
    RUNS = (
        ("import", "import_movies", ("arrivals",), {"arrivals": "arrival", "movies": "movie"}),
        ("align", "align_movie", ("movies",), {"micrographs": "micrograph"}),
        ("ctf", "estimate_ctf", ("micrographs",), {"ctfs": "ctf"}),
        ("select", "select_micrographs", ("micrographs", "ctfs"), {"accepted": "accepted", "rejected": "rejected"}),
    )

    def __init__(self, path: Path) -> None:
        path.mkdir()
        self.path = path
        workflow = {"name": "screening", "title": "Movies: motion, CTF, selection", "protocols": []}
        meta = {
            "uuid": "0" * 32,
            "name": "Grid <b>7</b>",
            "created_at": repr(self.START),
            "state": "running",
            "workflow": json.dumps(workflow),
        }
        self._lock = SessionLock(path)
        self._more: set[str] = set()
        self.ledger = Ledger.create(path / "session.db", meta)
        with self.ledger.transaction():
            for name, protocol, inputs, outputs in self.RUNS:
                self.add_run(name, protocol, inputs, outputs)

    def add_run(
        self, name: str, protocol: str, inputs: tuple[str, ...], outputs: dict[str, str], **parameters: object
    ) -> None:
        run = Run(
            name=name,
            protocol=protocol,
            parameters={"folder": "/data/epu", "threshold": 0.5, **parameters},
            inputs=inputs,
            outputs={},
            digest=name,
            version="0.1",
            created_at=self.START,
        )
        self.ledger.add_run(run, outputs)

    def add(self, numbers: range, until: str = "select", pictures: bool = False) -> None:
        """Let items through the runs up to ``until``, one transaction for each run; every fifth is rejected."""
        names = [name for name, *_ in self.RUNS]
        for run in ["arrive", *names][: names.index(until) + 2]:
            with self.ledger.transaction():
                for number in numbers:
                    self.record(run, number, pictures)

    def record(self, run: str, number: int, pictures: bool = False, name: str | None = None) -> None:
        """Append the record that a run makes of an item, to the set called ``name`` or to the usual one."""
        self.append(self.made(run, number, pictures), name)

    def append(self, record: Record, name: str | None = None) -> None:
        """Append a record to the set called ``name`` or to the usual one, 10 s after it was acquired."""
        recorded_at = (record.acquired_at or 0.0) + 10
        provenance = Provenance(recorded_at=recorded_at, seconds=2.0, latency=0.001, worker="cpu-0", device="cpu")
        self.ledger.append(name or type(record).plural, record, provenance)

    def made(self, run: str, number: int, pictures: bool) -> Record:
        key, acquired_at = f"item_{number}", self.START + 30 * number
        image = {
            "key": key,
            "acquired_at": acquired_at,
            "pixel_size": 0.8,
            "voltage": 300.0,
            "spherical_aberration": 2.7,
            "amplitude_contrast": 0.1,
            "grid_square": f"GridSquare_{number // 10}",
            "stage_x": 1e6 * (number // 10) + 3e4 * (number % 10 // 5),
            "stage_y": 3e4 * (number % 5),
        }
        if run == "arrive":
            return Arrival(key=key, path=f"/data/{key}.tiff", size=10, modified=acquired_at, evidence="closed")
        if run == "import":
            return Movie(path=f"/data/{key}.tiff", frames=3, height=64, width=64, dose_per_frame=1.5, **image)
        if run == "align":
            thumbnail = self._picture(f"{key}_thumbnail.jpg", number) if pictures else None
            shifts = {"shift_y": (0.0, 1.0, 1.5), "shift_x": (0.0, -1.0, -1.0), "thumbnail": thumbnail}
            motion = {"total_motion": 5.0 + number % 7, "early_motion": 2.0, "late_motion": 3.0 + number % 7}
            return Micrograph(path=f"{key}.mrc", height=64, width=64, **shifts, **motion, **image)
        if run == "ctf":
            return Ctf(
                key=key,
                acquired_at=acquired_at,
                micrograph=f"{key}.mrc",
                defocus_u=10_000.0 + 100 * number,
                defocus_v=9_900.0 + 100 * number,
                defocus_angle=12.5,
                astigmatism=100.0,
                phase_shift=0.0,
                score=0.3,
                ctf_resolution=9.0 if number % 5 == 4 else 3.0 + 0.1 * (number % 10),
                picture=self._picture(f"{key}_ctf.jpg", number) if pictures else None,
            )
        decided = {"key": key, "acquired_at": acquired_at, "micrograph": f"{key}.mrc"}
        if number % 5 == 4:
            return Rejected(reason="CTF resolution 9 Å is above the limit of 6 Å.", **decided)
        return Accepted(reason="Within the limit: CTF resolution 3.5 Å.", **decided)

    def add_particles(self, numbers: range) -> None:
        """Let accepted items through picking and extraction too: three particles each, the last near the edge."""
        places = np.array([[20.0, 30.0, 9.0], [40.25, 30.5, 7.0], [5.0, 60.0, 5.0]], np.float32)
        with self.ledger.transaction():
            if "pick" not in self._more:
                inputs = ("accepted", "micrographs", "ctfs")
                self.add_run("pick", "pick_particles", inputs, {"picks": "picks"}, diameter=16.0)
                self.add_run("extract", "extract_particles", ("picks",), {"particles": "particles"})
                self._more.add("pick")
            for number in numbers:
                micrograph, ctf = self.made("align", number, False), self.made("ctf", number, False)
                if number % 5 == 4:
                    continue
                assert isinstance(micrograph, Micrograph)
                assert isinstance(ctf, Ctf)
                names = ("defocus_u", "defocus_v", "defocus_angle", "phase_shift")
                known = {**shared(micrograph, Imaged), **{name: getattr(ctf, name) for name in names}}
                write_array(self.path / f"{micrograph.key}_picks.npy", places)
                write_array(self.path / f"{micrograph.key}_particles.npy", np.rint(places[:2]))
                stack = np.random.default_rng(number).normal(size=(2, 16, 16)).astype(np.float32)
                write_mrc(self.path / f"{micrograph.key}_particles.mrcs", stack, 1.6)
                where = {"micrograph": micrograph.path}
                picked = Picks(
                    coordinates=f"{micrograph.key}_picks.npy",
                    count=3,
                    diameter=16.0,
                    mean_score=7.0,
                    excluded_area=0.1,
                    **where,
                    **known,
                )
                self.append(picked)
                cut = Particles(
                    coordinates=f"{micrograph.key}_particles.npy",
                    stack=f"{micrograph.key}_particles.mrcs",
                    count=2,
                    left_out=1,
                    box_size=16,
                    diameter=17.6,
                    micrograph_pixel_size=0.8,
                    **where,
                    **known | {"pixel_size": 1.6},
                )
                self.append(cut)

    def fail(self, number: int, run: str, message: str, *, final: bool = True) -> None:
        with self.ledger.transaction():
            self.ledger.add_failure(
                run,
                f"item_{number}",
                attempt=3,
                final=final,
                error="TruncatedFile",
                message=message,
                traceback="Traceback: <here>",
            )

    def end(self, status: str = "success", state: str = "finished") -> None:
        with self.ledger.transaction():
            for *_, outputs in self.RUNS:
                for name in outputs:
                    closing = Closing(status=status, reason="no new file for 60 s", at=time.time())
                    self.ledger.close_set(name, closing)
            self.ledger.set_meta("state", state)
        self._lock.release()

    def release(self) -> None:
        """Let go of the session, as an engine that ends does; others may write then."""
        self._lock.release()

    def close(self) -> None:
        self._lock.release()
        self.ledger.close()

    def open(self) -> emlab.Session:
        return emlab.open_session(self.path)

    def _picture(self, name: str, seed: int) -> str:
        pixels = np.random.default_rng(seed).integers(0, 255, (200, 200), np.uint8)
        (self.path / name).write_bytes(imagecodecs.jpeg8_encode(pixels, 80))
        return name


@pytest.fixture(scope="session")
def invent() -> type[InventedSession]:
    """Makes sessions without an engine, for fixtures that outlive a test."""
    return InventedSession


@pytest.fixture
def invented(tmp_path: Path) -> Iterator[InventedSession]:
    """A session without an engine, to be filled by the test."""
    session = InventedSession(tmp_path / "session")
    yield session
    session.close()


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty address book of those who are told of alarms."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv(VARIABLE, raising=False)
    address_book().parent.mkdir(parents=True)
    address_book().touch(mode=0o600)
    return address_book()


PATIENCE = 120_000
"""Milliseconds that a page may take for anything: what is to be seen is seen then, however busy the machine is."""


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The machine's own Chromium; tests that need one are skipped where there is none."""
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
    if path is None:
        pytest.skip("there is no Chromium on this machine")
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE)
    quiet = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=quiet)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page of a fresh profile."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


AXE = """async ([context, rules]) => {
    const options = rules.length ? { runOnly: { type: "rule", values: rules } } : {};
    const { passes, violations } = await axe.run(context, { resultTypes: ["violations"], ...options });
    if (!passes.length) throw new Error("axe looked at nothing");
    return violations.filter(({ impact }) => ["serious", "critical"].includes(impact))
        .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`));
}"""


@pytest.fixture
def inaccessible(page: Page) -> Callable[[str], list[str]]:
    """What axe calls serious or critical in a part of the page: light and wide; and what differs dark and narrow."""
    from axe_playwright_python.base import AXE_SCRIPT

    def look(part: str = "body") -> list[str]:
        page.emulate_media(color_scheme="light")
        page.set_viewport_size({"width": 1440, "height": 900})
        if not page.evaluate("'axe' in window"):
            page.evaluate(AXE_SCRIPT)
        found: list[str] = page.evaluate(AXE, [part, []])
        page.emulate_media(color_scheme="dark")
        page.set_viewport_size({"width": 390, "height": 844})
        return found + page.evaluate(AXE, [part, ["color-contrast", "scrollable-region-focusable", "target-size"]])

    return look


@pytest.fixture
def complaints(page: Page) -> Iterator[list[str]]:
    """What the page's scripts complain of; there has to be nothing at the end of the test."""
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("console", lambda message: found.append(message.text) if message.type == "error" else None)
    page.on("requestfailed", lambda request: found.append(f"not loaded: {request.url[:200]}"))
    yield found
    assert found == []
