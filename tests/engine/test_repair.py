"""A damaged database: it is noticed, what can be read of it is kept, and the rest is done again."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

import emlab
from emlab.engine.executors import InlineExecutor
from emlab.engine.runner import Engine
from emlab.errors import SessionDamaged
from emlab.model import Protocol, Record
from emlab.session import Session

pytestmark = pytest.mark.usefixtures("any_file")

FILES = 60
BAD = "movie_03"
PAGE = 4096
SETS = ("arrivals", "import.micrographs", "ctf.ctfs", "select.accepted", "select.rejected", "fold.accepted")


@pytest.fixture(autouse=True)
def runtime_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


@pytest.fixture
def session(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, toys: dict[str, Protocol]) -> Path:
    """A session that ran to its end; one item of it failed, and one was rejected by hand."""
    made = tmp_path_factory.getbasetemp() / "repair"
    if not made.exists():
        make(made)
    return Path(shutil.copytree(made / "session", tmp_path / "session"))


def make(folder: Path) -> None:
    movies = folder / "movies"
    movies.mkdir(parents=True)
    for number in range(FILES):
        (movies / f"movie_{number:02d}.txt").write_text("reject" if number % 4 == 1 else "good")
    (movies / f"{BAD}.txt").write_text("bad")
    source = {"folder": str(movies), "settle_time": 0, "expected_count": FILES}
    steps = [
        {"name": "import", "protocol": "toy_import", "parameters": source},
        {"name": "ctf", "protocol": "toy_ctf"},
        {"name": "select", "protocol": "toy_select"},
        {"name": "fold", "protocol": "toy_fold", "parameters": {"size": 10}},
    ]
    (folder / "toy.json").write_text(json.dumps({"name": "toy", "title": "Toy", "protocols": steps}))
    with emlab.create_session(folder / "session", folder / "toy.json") as created:
        run(created.path)
        created.reject("movie_07", "ice")
        check(created)


def run(path: Path) -> None:
    Engine(path, InlineExecutor).run()


def check(session: Session) -> None:
    """Every item once, and every batch of the fold."""
    wanted = {f"movie_{number:02d}" for number in range(FILES)}
    assert session.state == "finished"
    assert sorted(keys(session, "arrivals")) == sorted(wanted)
    assert sorted(keys(session, "import.micrographs")) == sorted(wanted - {BAD})
    assert sorted(keys(session, "ctf.ctfs")) == sorted(wanted - {BAD})
    assert sorted(keys(session, "select.accepted") + keys(session, "select.rejected")) == sorted(wanted - {BAD})
    folded = session["fold.accepted"][-1].reason
    assert sorted(folded.strip("[]").replace("][", " ").split()) == sorted(wanted - {BAD})


def keys(session: Session, name: str) -> list[str]:
    return [record.key for record in session[name]]


def records(path: Path) -> dict[str, list[Record]]:
    with Session(path) as session:
        return {name: list(session[name]) for name in SETS}


def pages(database: Path) -> int:
    return database.stat().st_size // PAGE


def break_page(database: Path, number: int) -> None:
    """What a disk gives back that lost a page: something else."""
    with database.open("r+b") as file:
        file.seek(PAGE * (number - 1))
        file.write(b"\xff" * PAGE)


def damaged_copies(session: Path) -> Iterator[tuple[int, Path]]:
    """The session with each of its database's pages broken in turn."""
    for number in range(1, pages(session / "session.db") + 1):
        copy = session.with_name(f"broken-{number}")
        shutil.copytree(session, copy)
        break_page(copy / "session.db", number)
        yield number, copy


def test_whichever_page_is_broken_the_repair_keeps_only_what_is_right(session: Path) -> None:
    before = records(session)
    everything = sum(map(len, before.values()))
    kept = []
    for number, copy in damaged_copies(session):
        done = emlab.repair_session(copy)
        with closing(sqlite3.connect(copy / "session.db")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        after = records(copy)
        for name, found in after.items():
            assert [record for record in before[name] if record in found] == found, (number, name)
        assert {record.key for record in after["ctf.ctfs"]} <= {record.key for record in after["import.micrographs"]}
        assert done.kept == sum(map(len, after.values()))
        assert done.damaged is None or done.damaged.is_file()
        kept.append(done.kept if done.damaged else everything)
        shutil.rmtree(copy)
    # The schema, the steps, and a page or two above the records; of a set's leaves a few records each.
    assert sum(count == 0 for count in kept) <= 8
    assert sorted(kept)[len(kept) // 2] >= 0.8 * everything


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.9])
def test_what_is_lost_is_done_again(session: Path, share: float) -> None:
    break_page(session / "session.db", 1 + int(share * pages(session / "session.db")))
    done = emlab.repair_session(session)
    if done.damaged and done.lost != 0:
        run(session)
    with Session(session) as repaired:
        check(repaired)


def test_a_fold_whose_batches_are_lost_is_done_anew(session: Path) -> None:
    with closing(sqlite3.connect(session / "session.db")) as connection:
        ((page,),) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'batch'")
    break_page(session / "session.db", page)
    assert emlab.repair_session(session).lost == 6
    run(session)
    with Session(session) as repaired:
        check(repaired)
        assert len(repaired.batches()) == 6


def test_a_damaged_session_is_not_run_but_its_owner_told_what_to_do(session: Path) -> None:
    for number in range(2, pages(session / "session.db") + 1):
        break_page(session / "session.db", number)
    with pytest.raises(SessionDamaged, match="emlab repair"):
        run(session)
    with Session(session) as opened, pytest.raises(SessionDamaged, match="emlab repair"):
        opened.failures()


def test_what_people_decided_is_kept_and_a_sound_database_is_left_alone(session: Path) -> None:
    bytes_before = (session / "session.db").read_bytes()
    assert emlab.repair_session(session).damaged is None
    assert (session / "session.db").read_bytes() == bytes_before
    break_page(session / "session.db", pages(session / "session.db"))
    emlab.repair_session(session)
    with Session(session) as repaired:
        assert [judgement.key for judgement in repaired.judgements()] == ["movie_07"]


@pytest.mark.parametrize("batch", [0, 3])
def test_an_output_that_is_gone_is_made_again(session: Path, batch: int) -> None:
    with Session(session) as opened:
        gone = opened.file(opened["fold.accepted"][batch].micrograph)
    gone.unlink()
    break_page(session / "session.db", pages(session / "session.db"))
    emlab.repair_session(session)
    run(session)
    assert gone.is_file()
    with Session(session) as repaired:
        check(repaired)
