"""How many micrographs other limits would keep is what the protocol itself would decide."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from emlab.model import Accepted
from emlab.monitors import Items, by_measure, in_force, kept, selection_rule
from emlab.protocols.select_micrographs import SelectMicrographs, select_micrographs


@pytest.mark.parametrize(
    "limits",
    [
        {},
        {"max_ctf_resolution": 3.4},
        {"min_defocus": 10_500.0, "max_defocus": 12_000.0},
        {"max_motion": 7.0, "min_score": 0.3},
        {"max_astigmatism": 99.0},
        {"max_ice_density": 1.2},
    ],
)
def test_the_same_micrographs_are_kept_as_the_protocol_keeps(invented: Any, limits: dict[str, float]) -> None:
    invented.add(range(30), until="ctf")
    invented.add(range(30, 32), until="align")
    with invented.ledger.transaction():
        for number, ice in ((32, 1.1), (33, 1.3)):
            invented.record("align", number)
            record = replace(invented.made("ctf", number, False), ice_density=ice)
            invented.append(record)
    items = Items(invented.open())
    items.update()
    every = {**dict.fromkeys(SelectMicrographs.model_fields), **limits}
    parameters = SelectMicrographs(**every)

    def decided(row: int) -> bool:
        records = items.records(row)
        if "ctf" not in records:
            return False
        return isinstance(
            select_micrographs.function(records["micrograph"], records["ctf"], parameters, None), Accepted
        )

    assert np.array_equal(kept(items, limits), [decided(row) for row in range(len(items))])


@pytest.mark.parametrize(("pixel_size", "limit"), [(1.0, 3.0), (4.5, 11.25)])
def test_a_limit_that_pixels_cannot_reach_is_what_they_can(invented: Any, pixel_size: float, limit: float) -> None:
    with invented.ledger.transaction():
        for number, resolution in enumerate((2.9, 9.5, 11.2, 11.3)):
            invented.record("import", number)
            invented.append(replace(invented.made("align", number, False), pixel_size=pixel_size))
            invented.append(replace(invented.made("ctf", number, False), ctf_resolution=resolution))
    items = Items(invented.open())
    items.update()
    limits = {"max_ctf_resolution": 3.0}
    assert in_force(items, limits) == {"max_ctf_resolution": limit}
    decisions = [
        select_micrographs.function(items.records(row)["micrograph"], items.records(row)["ctf"], parameters, None)
        for row in range(len(items))
        for parameters in [SelectMicrographs(**{**dict.fromkeys(SelectMicrographs.model_fields), **limits})]
    ]
    assert kept(items, limits).tolist() == [isinstance(decision, Accepted) for decision in decisions]
    assert kept(items, limits).tolist() == [resolution <= limit for resolution in (2.9, 9.5, 11.2, 11.3)]


def test_the_rule_is_that_of_the_newest_run_that_selects(invented: Any) -> None:
    session = invented.open()
    rule = selection_rule(session)
    assert rule is not None
    assert rule.run == "select"
    assert set(rule.limits.values()) == {None}
    with invented.ledger.transaction():
        outputs = {"good": "accepted", "bad": "rejected"}
        invented.add_run("select-2", "select_micrographs", ("micrographs", "ctfs"), outputs, max_motion=20.0)
    rule = selection_rule(session)
    assert rule is not None
    assert rule.run == "select-2"
    assert by_measure(in_force(Items(session), rule.limits)) == {"total_motion": [20.0]}
