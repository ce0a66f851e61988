"""Sets grow while they are read; what was read stays as it was."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from emlab.errors import ParameterError
from emlab.model import Ctf
from emlab.sets import Catalogue, Closing, IncrementalSet, Ledger, Provenance

Append = Callable[[range], None]
Make = Callable[[int], Ctf]


@pytest.fixture
def ctfs(catalogue: Catalogue) -> IncrementalSet:
    return IncrementalSet(catalogue, catalogue.sets()["ctfs"])


def close(ledger: Ledger) -> None:
    with ledger.transaction():
        ledger.close_set("ctfs", Closing(status="success", reason="all done", at=time.time()))


def test_reads_like_a_list(append: Append, make_ctf: Make, ctfs: IncrementalSet) -> None:
    append(range(5))
    assert len(ctfs) == 5
    assert ctfs[0] == make_ctf(0)
    assert ctfs[-1] == make_ctf(4)
    assert ctfs[1:4:2] == [make_ctf(1), make_ctf(3)]
    assert ctfs[::-1] == [make_ctf(number) for number in (4, 3, 2, 1, 0)]
    assert ctfs.since(3) == [make_ctf(3), make_ctf(4)]
    assert ctfs.get("item_2") == make_ctf(2)
    assert ctfs.get("nothing") is None
    with pytest.raises(IndexError, match="5 records"):
        ctfs[5]


def test_a_reader_sees_what_is_appended_later(append: Append, make_ctf: Make, ctfs: IncrementalSet) -> None:
    append(range(2))
    assert len(ctfs) == 2
    append(range(2, 3))
    assert len(ctfs) == 3
    assert ctfs.since(2) == [make_ctf(2)]


def test_an_item_is_in_a_set_once(append: Append, make_ctf: Make, ctfs: IncrementalSet) -> None:
    append(range(3))
    with pytest.raises(sqlite3.IntegrityError):
        append(range(2, 4))
    assert len(ctfs) == 3
    append(range(3, 4))
    assert ctfs[3] == make_ctf(3)


def test_a_transaction_is_whole_or_not_there(
    append: Append, make_ctf: Make, ledger: Ledger, ctfs: IncrementalSet
) -> None:
    def crash() -> None:
        with ledger.transaction():
            ledger.append("ctfs", make_ctf(0), Provenance(recorded_at=0.0))
            assert len(ctfs) == 0, "a reader saw half a transaction"
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        crash()
    assert len(ctfs) == 0
    append(range(1))
    assert ctfs[0] == make_ctf(0)


def test_a_table_has_every_field_and_where_it_came_from(append: Append, ctfs: IncrementalSet) -> None:
    append(range(3))
    table = ctfs.to_dataframe()
    assert list(table["defocus_u"]) == [10_000.0, 10_001.0, 10_002.0]
    assert table["seconds"].tolist() == [0.5] * 3
    assert table["ice_density"].isna().all()
    assert table.index.tolist() == [0, 1, 2]
    pd.testing.assert_frame_equal(ctfs.to_dataframe(since=2), table[2:])
    assert list(ctfs.to_dataframe(columns=["key"]).columns) == ["key"]
    with pytest.raises(ParameterError, match="no column defocus; there are: key"):
        ctfs.to_dataframe(columns=["defocus"])


def test_an_empty_set_gives_an_empty_table(ctfs: IncrementalSet) -> None:
    assert ctfs.to_dataframe().empty
    assert "defocus_u" in ctfs.to_dataframe().columns


def test_follow_ends_when_the_set_is_closed(append: Append, ledger: Ledger, ctfs: IncrementalSet) -> None:
    append(range(3))
    followed = ctfs.follow()
    assert [next(followed).key for _ in range(3)] == ["item_0", "item_1", "item_2"]
    append(range(3, 4))
    close(ledger)
    assert [record.key for record in followed] == ["item_3"]
    assert (ctfs.is_open, ctfs.status, ctfs.reason) == (False, "success", "all done")


def test_follow_waits_for_what_another_thread_appends(append: Append, ledger: Ledger, ctfs: IncrementalSet) -> None:
    seen: list[str] = []
    reader = threading.Thread(target=lambda: seen.extend(record.key for record in ctfs.follow()))
    reader.start()
    append(range(2))
    append(range(2, 5))
    close(ledger)
    reader.join(timeout=20)
    assert seen == [f"item_{number}" for number in range(5)]


def test_follow_gives_up(ctfs: IncrementalSet) -> None:
    with pytest.raises(TimeoutError, match=r"nothing new for 0\.05 s"):
        next(ctfs.follow(timeout=0.05))


def test_follow_in_an_event_loop(append: Append, ledger: Ledger, ctfs: IncrementalSet) -> None:
    append(range(3))
    close(ledger)

    async def keys() -> list[str]:
        return [record.key async for record in ctfs.follow_async(start=1)]

    # In a thread of its own: where a browser is driven, this one has an event loop that is running.
    with ThreadPoolExecutor() as pool:
        assert pool.submit(lambda: asyncio.run(keys())).result() == ["item_1", "item_2"]


def test_reading_what_is_new_costs_the_same_at_any_size(
    append: Append, catalogue: Catalogue, ctfs: IncrementalSet
) -> None:
    """SQLite's own plan: a search by (set, number), never a scan and never a sort."""
    queries: list[str] = []
    catalogue._connection.set_trace_callback(queries.append)
    append(range(10))
    ctfs.since(8)
    len(ctfs)
    ctfs.to_dataframe(since=8)
    catalogue._connection.set_trace_callback(None)
    plans = [row[3] for query in queries for row in catalogue.rows(f"EXPLAIN QUERY PLAN {query}")]
    assert len(plans) >= 3
    assert all(plan.startswith("SEARCH ctf USING PRIMARY KEY") for plan in plans), plans


def test_a_finished_database_opens_where_nothing_can_be_written(append: Append, database: Path, ledger: Ledger) -> None:
    append(range(2))
    ledger.close()
    assert sorted(path.name for path in database.parent.iterdir()) == ["session.db"]
    database.chmod(0o444)
    database.parent.chmod(0o555)
    try:
        catalogue = Catalogue(database)
        assert len(IncrementalSet(catalogue, catalogue.sets()["ctfs"])) == 2
        catalogue.close()
    finally:
        database.parent.chmod(0o755)
        ledger._connection = sqlite3.connect(":memory:")


def test_texts_that_are_none_can_be_noted(ledger: Ledger, catalogue: Catalogue) -> None:
    """Names of files that are no UTF-8 come with messages of the operating system."""
    with ledger.transaction():
        ledger.add_event("warning", "movie_\udcff.tiff cannot be read")
    assert [event.message for event in catalogue.events()] == [r"movie_\udcff.tiff cannot be read"]


def test_a_full_disk_does_not_keep_the_ledger_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = Ledger.create(tmp_path / "full.db", {})

    def full() -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(ledger, "checkpoint", full)
    ledger.close()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        ledger.set_meta("state", "finished")


def test_a_session_of_an_older_emlab_can_be_read_and_gone_on_with(
    database: Path, catalogue: Catalogue, ledger: Ledger, append: Append, make_ctf: Make
) -> None:
    append(range(1))
    with closing(sqlite3.connect(database)) as older:
        older.execute("ALTER TABLE ctf DROP COLUMN ice_density")
    ctfs = IncrementalSet(catalogue, catalogue.sets()["ctfs"])
    assert ctfs[0] == make_ctf(0)
    assert ctfs.columns(["ice_density"])["ice_density"] == [None]
    assert np.isnan(ctfs.to_dataframe()["ice_density"][0])
    with closing(Ledger(database)) as again, again.transaction():
        again.append("ctfs", replace(make_ctf(1), ice_density=1.5), Provenance(recorded_at=1.0))
    assert IncrementalSet(catalogue, catalogue.sets()["ctfs"])[1].ice_density == 1.5
