"""Toy protocols, so that the engine is tested without science."""

from __future__ import annotations

from pathlib import Path

import pytest

from emlab.errors import DataError
from emlab.model import (
    Accepted,
    Arrival,
    Ctf,
    Imaged,
    Micrograph,
    Parameters,
    Picks,
    Protocol,
    Rejected,
    Workbench,
    parameter,
    protocol,
    shared,
)
from emlab.model.watched import WatchedFolder


class Nothing(Parameters):
    """Nothing to tell."""


@protocol(title="Toy import", consumes=Arrival, produces=Micrograph)
def toy_import(arrival: Arrival, parameters: WatchedFolder, workbench: Workbench) -> Micrograph:
    """Take a file; its text says how it is to behave."""
    with open(arrival.path) as file:  # noqa: PTH123
        text = file.read().strip()
    if text == "bad":
        raise DataError("the file says that it is bad")
    if text == "crash":
        raise OSError("the file says that reading it fails")
    return Micrograph(
        key=arrival.key,
        path=arrival.path,
        pixel_size=1.0,
        voltage=300.0,
        spherical_aberration=2.7,
        amplitude_contrast=0.1,
        height=1,
        width=1,
        warning=text,
    )


@protocol(title="Toy CTF", consumes=Micrograph, produces=Ctf, accelerated=True)
def toy_ctf(micrograph: Micrograph, parameters: Nothing, workbench: Workbench) -> Ctf:
    """Pretend."""
    return Ctf(
        key=micrograph.key,
        micrograph=micrograph.path,
        defocus_u=1.0,
        defocus_v=1.0,
        defocus_angle=0.0,
        astigmatism=0.0,
        phase_shift=0.0,
        score=1.0,
        ctf_resolution=3.0,
    )


class Words(Parameters):
    """What to reject."""

    word: str = parameter("reject", help="Text of the files that are rejected.")


@protocol(title="Toy choice", consumes=(Micrograph, Ctf), produces=(Accepted, Rejected))
def toy_select(micrograph: Micrograph, ctf: Ctf, parameters: Words, workbench: Workbench) -> Accepted | Rejected:
    """Reject what says so."""
    kind = Rejected if micrograph.warning == parameters.word else Accepted
    return kind(key=micrograph.key, micrograph=micrograph.path, reason="it said so")


@protocol(title="Toy picking", consumes=(Accepted, Micrograph), produces=Picks)
def toy_pick(accepted: Accepted, micrograph: Micrograph, parameters: Nothing, workbench: Workbench) -> Picks:
    """Find one particle."""
    return Picks(
        **shared(micrograph, Imaged),
        defocus_u=1.0,
        defocus_v=1.0,
        defocus_angle=0.0,
        phase_shift=0.0,
        micrograph=micrograph.path,
        coordinates="",
        count=1,
        diameter=100.0,
    )


class Handful(Parameters):
    """How many make a batch."""

    size: int = parameter(2, ge=1, help="Micrographs of a batch.")


@protocol(
    title="Toy fold", consumes=Micrograph, produces=Accepted, share=lambda micrograph, parameters: 1 / parameters.size
)
def toy_fold(
    batch: tuple[Micrograph, ...], before: Accepted | None, parameters: Handful, workbench: Workbench
) -> Accepted:
    """Remember every micrograph so far; the reason has each batch in brackets."""
    if any(micrograph.warning == "poison" for micrograph in batch):
        raise DataError("one of them says that it is poison")
    path = workbench.write_tables("", {"batch": {"rlnCount": len(batch)}})
    names = " ".join(micrograph.key for micrograph in batch)
    return Accepted(
        key=workbench.item,
        micrograph=path,
        reason=(before.reason if before else "") + f"[{names}]",
    )


@protocol(
    title="Toy gathering", consumes=Accepted, produces=Picks, share=lambda accepted, parameters: 1 / parameters.size
)
def toy_gather(batch: tuple[Accepted, ...], before: Picks | None, parameters: Handful, workbench: Workbench) -> Picks:
    """Remember every accepted micrograph so far; the coordinates' name has each batch in brackets."""
    names = " ".join(accepted.key for accepted in batch)
    return Picks(
        key=workbench.item,
        pixel_size=1.0,
        voltage=300.0,
        spherical_aberration=2.7,
        amplitude_contrast=0.1,
        defocus_u=1.0,
        defocus_v=1.0,
        defocus_angle=0.0,
        phase_shift=0.0,
        micrograph="",
        coordinates=(before.coordinates if before else "") + f"[{names}]",
        count=len(batch),
        diameter=100.0,
    )


@pytest.fixture
def toys(monkeypatch: pytest.MonkeyPatch) -> dict[str, Protocol]:
    """The toy protocols, known to emlab during the test."""
    from emlab.protocols import PROTOCOLS

    known = {toy.name: toy for toy in (toy_import, toy_ctf, toy_select, toy_pick, toy_fold, toy_gather)}
    for name, toy in known.items():
        monkeypatch.setitem(PROTOCOLS, name, toy)
    return known


@pytest.fixture
def any_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """Toy files are of no format: each is complete once it has a text."""
    from emlab.engine import intake
    from emlab.formats.completeness import Completeness

    def check(path: str) -> Completeness:
        return Completeness(state="complete" if Path(path).stat().st_size else "growing", frames=1, message="")

    monkeypatch.setattr(
        intake.Watcher.__init__, "__kwdefaults__", {**intake.Watcher.__init__.__kwdefaults__, "check": check}
    )
