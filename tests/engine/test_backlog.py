"""Items get ready when their last input is there, and go out in the order that serves people."""

from __future__ import annotations

import json

import pytest

from emlab.engine.backlog import ATTEMPTS, Backlog, Item
from emlab.engine.pipeline import build_stages
from emlab.model import Accepted, Arrival, Ctf, Micrograph, Protocol, Record, Rejected
from emlab.protocols import PROTOCOLS
from emlab.workflow import parse_workflow

STEPS = [
    {"name": "import", "protocol": "toy_import", "parameters": {"folder": "/data"}},
    {"name": "ctf", "protocol": "toy_ctf"},
    {"name": "select", "protocol": "toy_select"},
]


@pytest.fixture
def backlog(toys: dict[str, Protocol]) -> Backlog:
    text = json.dumps({"name": "toy", "title": "Toy", "protocols": STEPS})
    return Backlog(build_stages(parse_workflow(text, "toy.json"), toys))


def record(kind: type[Record], key: str) -> Record:
    """A record of which only the kind and the key matter."""
    made = object.__new__(kind)
    object.__setattr__(made, "key", key)
    return made


def popped(backlog: Backlog) -> tuple[str, str] | None:
    item = backlog.pop((True, False))
    return (item.stage.name, item.key) if item else None


def test_an_item_waits_for_all_its_inputs(backlog: Backlog) -> None:
    backlog.add("micrographs", 0, record(Micrograph, "a"), now=1.0)
    assert popped(backlog) == ("ctf", "a")
    assert popped(backlog) is None
    assert backlog.progress["select"].waiting == 1
    backlog.add("ctfs", 0, record(Ctf, "b"), now=2.0)
    assert popped(backlog) is None
    backlog.add("ctfs", 1, record(Ctf, "a"), now=3.0)
    item = backlog.pop((True, False))
    assert item is not None
    assert [type(part) for part in item.records] == [Micrograph, Ctf]
    assert item.ready_at == 3.0
    assert backlog.progress["select"].waiting == 1


def test_what_was_decided_against_is_waited_for_no_longer(toys: dict[str, Protocol]) -> None:
    steps = [*STEPS, {"name": "pick", "protocol": "pick_particles", "parameters": {"diameter": 100}}]
    text = json.dumps({"name": "toy", "title": "Toy", "protocols": steps})
    backlog = Backlog(build_stages(parse_workflow(text, "toy.json"), PROTOCOLS))
    for number, key in enumerate("ab"):
        backlog.add("micrographs", number, record(Micrograph, key), now=1.0)
        backlog.add("ctfs", number, record(Ctf, key), now=1.0)
    assert backlog.progress["pick"].waiting == 2
    backlog.add("rejected", 0, record(Rejected, "a"), now=2.0)
    assert backlog.progress["pick"].waiting == 1
    assert popped(backlog) == ("select", "a")
    backlog.add("accepted", 0, record(Accepted, "b"), now=2.0)
    assert backlog.progress["pick"].waiting == 0
    item = backlog.pop((True, False))
    assert item is not None
    assert (item.stage.name, item.key) == ("pick", "b")
    assert [type(part) for part in item.records] == [Accepted, Micrograph, Ctf]


def test_what_is_nearly_done_goes_first_but_files_are_taken_in_before_all(backlog: Backlog) -> None:
    backlog.add("micrographs", 0, record(Micrograph, "a"), now=1.0)
    backlog.add("micrographs", 1, record(Micrograph, "b"), now=1.0)
    backlog.add("ctfs", 0, record(Ctf, "b"), now=1.0)
    backlog.add("arrivals", 2, record(Arrival, "c"), now=1.0)
    assert [popped(backlog) for _ in range(4)] == [("import", "c"), ("select", "b"), ("ctf", "a"), ("ctf", "b")]


def test_a_worker_without_a_gpu_gets_what_needs_none(backlog: Backlog) -> None:
    backlog.add("micrographs", 0, record(Micrograph, "a"), now=1.0)
    assert backlog.pop([False]) is None
    assert backlog.pop([True]) is not None


def test_the_last_attempt_is_made_on_the_cpu(backlog: Backlog) -> None:
    stage = backlog.stages["ctf"]
    for attempt in range(ATTEMPTS["item"]):
        backlog.push(Item(stage, "a", (), 0, 1.0, ("outage",) * 4 + ("item",) * attempt))
    last = backlog.pop([False])
    assert last is not None
    assert last.attempt == 4 + ATTEMPTS["item"]
    assert backlog.pop([False]) is None


def test_a_delayed_item_comes_back_when_its_time_is_over(backlog: Backlog) -> None:
    backlog.add("arrivals", 0, record(Arrival, "a"), now=1.0)
    item = backlog.pop([False])
    assert item is not None
    backlog.delay(item, until=5.0)
    assert backlog.next_release() == 5.0
    backlog.release(4.9)
    assert popped(backlog) is None
    assert not backlog.progress["import"].is_idle
    backlog.release(5.0)
    item = backlog.pop([False])
    assert item is not None
    backlog.give_up(item)
    assert backlog.progress["import"].is_idle
    assert backlog.progress["import"].given_up == {"a"}


def test_what_a_step_before_gave_up_is_waited_for_in_vain(toys: dict[str, Protocol]) -> None:
    steps = [*STEPS, {"name": "pick", "protocol": "toy_pick"}]
    text = json.dumps({"name": "toy", "title": "Toy", "protocols": steps})
    backlog = Backlog(build_stages(parse_workflow(text, "toy.json"), toys))
    for number, key in enumerate("ab"):
        backlog.add("micrographs", number, record(Micrograph, key), now=1.0)
    item = backlog.pop([True])
    assert item is not None
    backlog.give_up(item)
    assert {name: (backlog.progress[name].waiting, backlog.lost(stage)) for name, stage in backlog.stages.items()} == {
        "import": (0, 0),
        "ctf": (0, 0),
        "select": (2, 1),
        "pick": (2, 1),
    }


def test_outputs_of_a_thousand_items_share_a_folder(backlog: Backlog) -> None:
    shards = []
    for number in (0, 999, 1000):
        backlog.add("arrivals", number, record(Arrival, f"item_{number}"), now=1.0)
        item = backlog.pop([False])
        assert item is not None
        shards.append(item.shard)
    assert shards == [0, 0, 1]


def test_what_a_fold_gathers_is_not_awaited_item_by_item(toys: dict[str, Protocol]) -> None:
    """The engine keeps in mind who made what is: for what a batch takes that would never end."""
    steps = [*STEPS, {"name": "gather", "protocol": "toy_gather"}]
    text = json.dumps({"name": "toy", "title": "Toy", "protocols": steps})
    backlog = Backlog(build_stages(parse_workflow(text, "toy.json"), toys))
    assert [backlog.is_awaited(name) for name in ("micrographs", "ctfs", "accepted", "rejected", "picks")] == [
        True,
        True,
        False,
        False,
        False,
    ]
