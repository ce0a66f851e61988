"""A small database to read while a writer appends."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from emlab.model import Ctf
from emlab.sets import Catalogue, Ledger, Provenance, Run


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "session.db"


@pytest.fixture
def ledger(database: Path) -> Iterator[Ledger]:
    ledger = Ledger.create(database, {"uuid": "0" * 32, "state": "created"})
    run = Run(
        name="ctf",
        protocol="estimate_ctf",
        parameters={"max_resolution": 4.0},
        inputs=("micrographs",),
        outputs={"ctf": "ctfs"},
        digest="d",
        version="0",
        created_at=1.0,
    )
    with ledger.transaction():
        ledger.add_run(run, {"ctfs": "ctf"})
    yield ledger
    ledger.close()


@pytest.fixture
def catalogue(database: Path, ledger: Ledger) -> Iterator[Catalogue]:
    catalogue = Catalogue(database)
    yield catalogue
    catalogue.close()


@pytest.fixture
def make_ctf() -> Callable[[int], Ctf]:
    """The record of item number so and so."""

    def make(number: int) -> Ctf:
        return Ctf(
            key=f"item_{number}",
            acquired_at=1000.0 + number,
            micrograph=f"item_{number}.mrc",
            defocus_u=10_000.0 + number,
            defocus_v=9_900.0,
            defocus_angle=12.5,
            astigmatism=100.0 + number,
            phase_shift=0.0,
            score=0.5,
            ctf_resolution=4.0,
        )

    return make


@pytest.fixture
def append(ledger: Ledger, make_ctf: Callable[[int], Ctf]) -> Callable[[range], None]:
    """Append items numbered so and so to ``ctfs``, in one transaction."""

    def append_all(numbers: range) -> None:
        with ledger.transaction():
            for number in numbers:
                ledger.append("ctfs", make_ctf(number), Provenance(recorded_at=time.time(), seconds=0.5))

    return append_all
