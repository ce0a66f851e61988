"""The records of an item are joined as they come, at the cost of what is new."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from emlab.model import Ctf, Micrograph
from emlab.monitors import Items


def test_an_item_s_measures_fill_as_its_records_come(invented: Any) -> None:
    items = Items(invented.open())
    assert items.update() == 0
    invented.add(range(3), until="import")
    assert items.update() == 3
    assert items.keys == ["item_0", "item_1", "item_2"]
    assert np.isnan(items["total_motion"]).all()
    invented.record("align", 1)
    assert items.update() == 1
    assert items["total_motion"][1] == 6.0
    assert np.isnan(items["total_motion"][[0, 2]]).all()
    assert items.update() == 0


def test_the_records_of_an_item_are_found_whatever_their_order_in_the_sets(invented: Any) -> None:
    invented.add(range(4), until="align")
    for number in (3, 0):
        invented.record("ctf", number)
    items = Items(invented.open())
    items.update()
    assert items["defocus_u"][3] == 10_300
    records = items.records(3)
    assert isinstance(records["ctf"], Ctf)
    assert isinstance(records["micrograph"], Micrograph)
    assert {record.key for record in records.values()} == {"item_3"}
    assert "ctf" not in items.records(1)
    assert items.row("item_3") == 3


def test_an_update_reads_only_what_is_new(invented: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    session = invented.open()
    invented.add(range(1500))
    items = Items(session)
    items.update()
    read = []
    rows = session.catalogue.rows

    def counting(query: str, parameters: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        found = rows(query, parameters)
        read.append(len(found))
        return found

    monkeypatch.setattr(session.catalogue, "rows", counting)
    invented.add(range(1500, 1502))
    assert items.update() == 2 * 4
    assert len(items) == 1502
    assert items["defocus_u"][[0, 1501]].tolist() == [10_000, 160_100]
    assert max(read) <= len(session.sets)


def test_the_newest_run_of_a_kind_counts(invented: Any) -> None:
    invented.add(range(2))
    items = Items(invented.open())
    items.update()
    with invented.ledger.transaction():
        invented.add_run("ctf_2", "estimate_ctf", ("micrographs",), {"ctfs-2": "ctf"})
        invented.record("ctf", 1, name="ctfs-2")
    assert items.update() == 1
    assert np.isnan(items["defocus_u"][0])
    assert items["defocus_u"][1] == 10_100


def test_without_an_acquisition_time_the_time_of_the_first_record_stands_in(invented: Any) -> None:
    invented.add(range(2))
    items = Items(invented.open())
    items.update()
    assert items.time.tolist() == [invented.START, invented.START + 30]
    assert items.acquired_span == (invented.START, invented.START + 30)
    items = Items(invented.open())
    items.update()
    items["acquired_at"][1] = np.nan
    assert items.time.tolist() == [invented.START, invented.START + 40]


def test_the_table_says_what_was_decided(invented: Any) -> None:
    invented.add(range(5))
    invented.add(range(5, 6), until="ctf")
    items = Items(invented.open())
    items.update()
    table = items.to_dataframe()
    assert table.loc["item_4", "ctf_resolution"] == 9.0
    assert table["decision"].tolist() == ["accepted"] * 4 + ["rejected", ""]


def test_the_table_heeds_what_people_decided_and_noted(invented: Any) -> None:
    invented.add(range(5))
    with invented.ledger.transaction():
        invented.ledger.add_judgement("item_0", "rejected", "ice", "anna")
        invented.ledger.add_judgement("item_0", "noted", "see the edge", "anna")
        invented.ledger.add_judgement("item_4", "restored", "", "anna")
    items = Items(invented.open())
    items.update()
    table = items.to_dataframe()
    assert table["decision"].tolist() == ["rejected", *["accepted"] * 4]
    assert table["notes"].tolist() == ["ice; see the edge", "", "", "", ""]
