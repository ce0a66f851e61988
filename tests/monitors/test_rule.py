"""How many micrographs other limits would keep is what the protocol itself would decide."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from emlab.model import Accepted
from emlab.monitors import Items, kept, selection_rule
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
    assert (rule.run, rule.by_measure) == ("select-2", {"total_motion": [20.0]})
