"""What a person changes in a session, while its engine runs and while none does."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emlab.creation import create_session
from emlab.engine.amendment import judge
from emlab.engine.control import send_command
from emlab.engine.executors import InlineExecutor
from emlab.engine.revision import record_revisions, revised
from emlab.engine.runner import Engine
from emlab.errors import ParameterError, SessionError
from emlab.formats.mrc import write_mrc
from emlab.model import Protocol
from emlab.session import Session
from emlab.sets import Catalogue, Ledger, dial

Create = Callable[..., Session]


@pytest.fixture
def create(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, toys: dict[str, Protocol]) -> Iterator[Create]:
    """A session of two micrographs, called ``reject`` and ``other``, each of which the toys let say its name."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    folder = tmp_path / "micrographs"
    folder.mkdir()
    for name in ("other", "reject"):
        write_mrc(folder / f"{name}.mrc", np.ones((4, 4), np.float32), 1.0)
        os.utime(folder / f"{name}.mrc", (0, 0))

    def toy_import(arrival: Any, parameters: Any, workbench: Any) -> Any:
        made = toys["toy_import"].produces[0]
        optics = {"pixel_size": 1.0, "voltage": 300.0, "spherical_aberration": 2.7, "amplitude_contrast": 0.1}
        return made(key=arrival.key, path=arrival.path, height=4, width=4, warning=arrival.key, **optics)

    monkeypatch.setitem(toys_of_emlab(), "toy_import", Protocol(**{**vars(toys["toy_import"]), "function": toy_import}))
    sessions = []

    def made(*more: str, **parameters: Any) -> Session:
        steps: list[dict[str, Any]] = [
            {"name": "import", "protocol": "toy_import", "parameters": {"folder": str(folder), **parameters}},
            {"name": "ctf", "protocol": "toy_ctf"},
            {"name": "select", "protocol": "toy_select"},
            *({"name": name, "protocol": "toy_pick"} for name in more),
        ]
        (tmp_path / "toy.json").write_text(json.dumps({"name": "toy", "title": "Toy", "protocols": steps}))
        sessions.append(create_session(tmp_path / "session", tmp_path / "toy.json", "monday"))
        return sessions[-1]

    yield made
    for session in sessions:
        session.close()


def toys_of_emlab() -> dict[str, Protocol]:
    from emlab.protocols import PROTOCOLS

    return PROTOCOLS


def run(session: Session, *, watch: bool = True) -> None:
    Engine(session.path, InlineExecutor, watch=watch).run()


def names(session: Session, of: str) -> list[str]:
    return sorted(record.key for record in session[of])


def test_a_step_with_other_parameters_is_a_new_run_beside_the_old_one(create: Create) -> None:
    session = create(expected_count=2, settle_time=0)
    run(session)
    assert names(session, "accepted") == ["other"]
    with closing(Ledger(session.path / "session.db")) as ledger:
        record_revisions(ledger, revised(session.catalogue, "select", {"word": "other"}))
    run(session, watch=False)
    assert (names(session, "accepted"), names(session, "rejected")) == (["reject"], ["other"])
    assert (names(session, "select.accepted"), names(session, "select-2.accepted")) == (["other"], ["reject"])
    assert session["select.accepted"].status == session["select-2.accepted"].status == "success"
    assert [(run.name, run.superseded_by) for run in session.runs[2:]] == [("select", "select-2"), ("select-2", None)]
    assert session.state == "finished"


def test_what_builds_on_a_step_is_done_anew_too(create: Create, toys: dict[str, Protocol]) -> None:
    session = create(expected_count=2, settle_time=0)
    run(session)
    with closing(Catalogue(session.path / "session.db")) as catalogue:
        select = toys["toy_select"].parameters
        changed = Protocol(**{**vars(toys["toy_ctf"]), "parameters": select})
        toys_of_emlab()["toy_ctf"] = changed
        revisions = revised(catalogue, "ctf", {"word": "new"})
        toys_of_emlab()["toy_ctf"] = toys["toy_ctf"]
    assert [(revision.old.name, revision.new.name) for revision in revisions] == [
        ("ctf", "ctf-2"),
        ("select", "select-2"),
    ]
    assert revisions[1].new.inputs == ("micrographs", "ctfs-2")
    assert revisions[1].new.outputs == {"accepted": "accepted-2", "rejected": "rejected-2"}


def test_two_steps_that_make_the_same_are_both_done_anew(create: Create) -> None:
    session = create("large", "small", expected_count=2, settle_time=0)
    with closing(Ledger(session.path / "session.db")) as ledger:
        record_revisions(ledger, revised(session.catalogue, "select", {"word": "other"}))
    run(session)
    assert [names(session, name) for name in ("large-2.picks", "small-2.picks")] == [["reject"], ["reject"]]


def test_a_running_session_goes_over_to_the_new_rule(create: Create) -> None:
    """What the old run has not done it leaves; the new one does everything, and what still comes."""
    session = create(idle_timeout=60, settle_time=0)
    thread = threading.Thread(target=run, args=(session,))
    thread.start()
    list(islice(session["micrographs"].follow(timeout=30), 2))
    assert session.change("select", word="other") == ["select-2"]
    assert session.change("select", word="nothing") == ["select-3"]
    send_command(session.path, "stop")
    thread.join(30)
    assert names(session, "accepted") == ["other", "reject"]
    assert session.state == "finished"
    assert {name: records.status for name, records in session.sets.items() if "rejected" in name} == {
        "rejected": "superseded",
        "rejected-2": "superseded",
        "rejected-3": "success",
    }


def test_a_change_survives_a_crash_right_after_it(create: Create) -> None:
    session = create(expected_count=2, settle_time=0)
    run(session)
    with closing(Ledger(session.path / "session.db")) as ledger:
        record_revisions(ledger, revised(session.catalogue, "select", {"word": "other"}))
        with ledger.transaction():
            ledger.reopen_sets(["accepted", "rejected"])  # as they are while an engine runs
            ledger.set_meta("state", "running")
    run(session)
    closed = session["select.rejected"]
    assert (closed.status, closed.reason) == ("superseded", "superseded by the run select-2")
    assert names(session, "rejected") == ["other"]


@pytest.mark.parametrize(
    ("step", "changes", "error", "says"),
    [
        ("pick", {}, SessionError, "There is no step 'pick'; there are: import, ctf, select"),
        ("import", {"settle_time": 1}, SessionError, "create another session"),
        ("select", {"words": "a"}, ParameterError, "has no parameter words; it has: word"),
        ("select", {"word": "reject"}, SessionError, "Nothing to change"),
        ("select", {"word": 3}, ParameterError, "word is 3"),
    ],
)
def test_a_change_that_cannot_be_made_says_why(
    create: Create, step: str, changes: dict[str, Any], error: type[Exception], says: str
) -> None:
    session = create()
    with pytest.raises(error, match=says):
        session.change(step, **changes)
    assert len(session.runs) == 3


def test_a_refusal_of_a_running_engine_says_why_too(create: Create) -> None:
    session = create(idle_timeout=60)
    thread = threading.Thread(target=run, args=(session,))
    thread.start()
    while not session.is_running or session.state != "running":
        session.wait(0.05)
    with pytest.raises(SessionError, match="Nothing to change"):
        session.change("select", word="reject")
    send_command(session.path, "stop")
    thread.join(30)


def test_a_verdict_by_hand_stands_over_the_limits(create: Create) -> None:
    session = create(expected_count=2, settle_time=0)
    run(session)
    assert session.accepted_keys() == ["other"]
    session.reject("other", "ice")
    session.restore(["reject"], "fine after all")
    session.annotate("reject", "look <here>")
    assert session.accepted_keys() == ["reject"]
    first, *_, last = session.judgements()
    assert (first.number, first.key, first.verdict, first.note) == (1, "other", "rejected", "ice")
    assert (last.key, last.verdict, last.note) == ("reject", "noted", "look <here>")
    assert session.judgements(last.number) == [last]
    assert first.author
    session.restore("other")
    assert session.accepted_keys() == ["other", "reject"]
    with pytest.raises(SessionError, match="has no item nobody"):
        session.reject(["other", "nobody"])
    assert len(session.judgements()) == 4


def test_whoever_knows_of_an_alarm_is_recorded_with_and_without_an_engine(create: Create) -> None:
    session = create(idle_timeout=60, settle_time=0)
    thread = threading.Thread(target=run, args=(session,))
    thread.start()
    next(session["micrographs"].follow(timeout=30))
    session.acknowledge("CTF")
    send_command(session.path, "stop")
    thread.join(30)
    session.acknowledge("Disk")
    first, second = session.acknowledgements()
    assert (first.alarm, second.alarm) == ("CTF", "Disk")
    assert first.author == second.author != ""
    assert session.acknowledgements(second.number) == [second]


def test_a_verdict_reaches_a_running_engine(create: Create) -> None:
    session = create(idle_timeout=60, settle_time=0)
    thread = threading.Thread(target=run, args=(session,))
    thread.start()
    next(session["micrographs"].follow(timeout=30))
    session.reject("other", "ice")
    assert [judgement.key for judgement in session.judgements()] == ["other"]
    send_command(session.path, "stop")
    thread.join(30)


def told(line: socket.socket, text: str) -> dict[str, Any]:
    """What an engine replies to a line."""
    line.sendall(text.encode() + b"\n")
    with line.makefile() as replies:
        reply: dict[str, Any] = json.loads(replies.readline())
    return reply


def test_an_engine_survives_whatever_it_is_told_and_says_what_was_wrong(create: Create) -> None:
    judge = '{"command": "judge", "verdict": "noted", "note": "", "author": "me", '
    expected = {
        '{"command": "judge"}': "keys: missing required argument; verdict: missing",
        judge + '"keys": ["a", 3]}': "keys.1: input should be a valid string",
        judge.replace("noted", "wrong") + '"keys": ["a"]}': "verdict: input should be 'rej",
        judge + '"keys": ["\\ud800"]}': "expected a JSON object",
        '{"command": "acknowledge", "alarm": "CTF"}': "author: missing required argument",
        '{"command": "change", "step": "select", "changes": [1]}': "changes: input should be a valid dictionary",
        '{"command": "retry", "step": 7, "keys": [], "author": "me"}': "step: input should be a valid string",
        '{"command": "stop", "now": "yes"}': "now: input should be a valid boolean",
        '{"command": "pause", "why": 1, "self": 2}': "why: unexpected keyword argument",
        '{"command": {"deep": []}}': "there is no command {'deep': []}; the commands are: ping, explain, pause",
        '{"command": "ping", "x": ' + "[" * 50_000: "expected a JSON object with a command",
        "[]": "expected a JSON object with a command",
        "\x00": "expected a JSON object with a command",
    }
    session = create(idle_timeout=60, settle_time=0)
    thread = threading.Thread(target=run, args=(session,))
    thread.start()
    next(session["micrographs"].follow(timeout=30))
    with dial(session.path) as line:
        line.settimeout(20)
        for text, says in expected.items():
            assert says in told(line, text)["error"]
        for depth in range(700, 1100):  # somewhere there JSON can still be read, and not be shown
            word = "[" * depth + "]" * depth
            change = f'{{"command": "change", "step": "select", "changes": {{"word": {word}}}}}'
            assert "error" in told(line, change)
    send_command(session.path, "stop")
    thread.join(30)
    assert session.state == "finished"
    assert session.judgements() == []


def test_as_many_items_as_a_session_has_are_judged_at_once(create: Create) -> None:
    session = create(idle_timeout=60, settle_time=0)
    thread = threading.Thread(target=run, args=(session,))
    thread.start()
    next(session["micrographs"].follow(timeout=30))
    names = [f"FoilHole_12345678_Data_12345678_{number:08d}_20251003_100140_Fractions" for number in range(3000)]
    judge(session.path, names, "rejected", "ice", "me")
    send_command(session.path, "stop")
    thread.join(30)
    assert [judgement.key for judgement in session.judgements()] == names
