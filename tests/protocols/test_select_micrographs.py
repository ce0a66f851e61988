from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from emlab.engine.workbench import FolderWorkbench
from emlab.errors import ParameterError
from emlab.model import Accepted, Ctf, Micrograph, Rejected, validated
from emlab.protocols.select_micrographs import SelectMicrographs, select_micrographs

MICROGRAPH = Micrograph(
    key="item",
    acquired_at=7.0,
    path="align/item.mrc",
    height=100,
    width=100,
    pixel_size=1.0,
    voltage=300.0,
    spherical_aberration=2.7,
    amplitude_contrast=0.1,
    total_motion=45.0,
)
CTF = Ctf(
    key="item",
    micrograph="align/item.mrc",
    defocus_u=15_200.0,
    defocus_v=14_800.0,
    defocus_angle=10.0,
    astigmatism=400.0,
    phase_shift=0.0,
    score=0.15,
    ctf_resolution=4.25,
    ice_density=1.1,
)
OPEN = dict.fromkeys(SelectMicrographs.model_fields)


def decided(ctf: Ctf = CTF, micrograph: Micrograph = MICROGRAPH, **limits: Any) -> Accepted | Rejected:
    parameters = validated(SelectMicrographs, OPEN | limits, "select")
    record = select_micrographs.function(micrograph, ctf, parameters, FolderWorkbench(Path(), "select", "item"))
    assert isinstance(record, Accepted | Rejected)
    return record


def test_a_good_micrograph_is_within_the_usual_limits() -> None:
    record = decided(**SelectMicrographs().model_dump())
    assert isinstance(record, Accepted)
    assert (record.key, record.acquired_at, record.micrograph) == ("item", 7.0, "align/item.mrc")
    assert record.reason == "Within all 3 limits: CTF resolution 4.25 Å; Astigmatism 400 Å; Ice ring 1.1."


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({"max_ctf_resolution": 4.0}, "CTF resolution 4.25 Å is above the limit of 4 Å."),
        ({"min_defocus": 16_000.0}, "Defocus 15000 Å is below the limit of 16000 Å."),
        ({"max_defocus": 12_000.0}, "Defocus 15000 Å is above the limit of 12000 Å."),
        ({"max_astigmatism": 300.0}, "Astigmatism 400 Å is above the limit of 300 Å."),
        ({"max_motion": 40.0}, "Motion 45 Å is above the limit of 40 Å."),
        ({"max_ice_density": 1.05}, "Ice ring 1.1 is above the limit of 1.05."),
        ({"min_score": 0.2}, "CTF score 0.15 is below the limit of 0.2."),
        (
            {"max_ctf_resolution": 4.0, "max_motion": 40.0, "max_astigmatism": 500.0},
            "CTF resolution 4.25 Å is above the limit of 4 Å; Motion 45 Å is above the limit of 40 Å.",
        ),
    ],
)
def test_each_limit_that_is_missed_is_told(limits: dict[str, float], reason: str) -> None:
    record = decided(**limits)
    assert isinstance(record, Rejected)
    assert record.reason == reason


@pytest.mark.parametrize(
    "limits",
    [
        {"max_ctf_resolution": 4.25},
        {"min_defocus": 15_000.0},
        {"max_defocus": 15_000.0},
        {"max_astigmatism": 400.0},
        {"max_motion": 45.0},
        {"max_ice_density": 1.1},
        {"min_score": 0.15},
    ],
)
def test_a_limit_includes_its_value(limits: dict[str, float]) -> None:
    record = decided(**limits)
    assert isinstance(record, Accepted)
    assert record.reason.startswith("Within the limit: ")


def test_without_limits_all_are_accepted() -> None:
    assert decided().reason == "No limit applies."


def test_what_was_not_measured_rejects_nothing() -> None:
    record = decided(
        replace(CTF, ice_density=None), replace(MICROGRAPH, total_motion=None), max_motion=1, max_ice_density=1
    )
    assert isinstance(record, Accepted)
    assert record.reason == "No limit applies."


def test_what_is_not_a_number_is_within_no_limit() -> None:
    record = decided(replace(CTF, ctf_resolution=float("nan")), max_ctf_resolution=4.0)
    assert isinstance(record, Rejected)
    assert record.reason == "CTF resolution is not known, and the limit is 4 Å."


def test_limits_that_exclude_each_other_are_refused() -> None:
    with pytest.raises(ParameterError, match="max_defocus is 9000.* above min_defocus, 10000 Å"):
        decided(min_defocus=10_000.0, max_defocus=9000.0)


def test_it_is_described_for_forms() -> None:
    assert select_micrographs.summary == "Accept the micrographs that are within all limits."
    for field in SelectMicrographs.model_fields.values():
        assert field.title
        assert field.description
