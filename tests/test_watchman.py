"""Alarms find people: each once per episode, through real messages to an address of this machine."""

from __future__ import annotations

import json
import os
import re
import signal
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

import emlab
from emlab.errors import ParameterError
from emlab.formats.mrc import write_mrc
from emlab.monitors.notices import VARIABLE, Notice, addressees, choose, chosen

pytest.importorskip("apprise", reason="Apprise is not installed (pip install 'emlab[notify]')")

from emlab.watchman import Watchman


class Mailbox:
    """Where messages are posted to, and what came."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.is_open = True
        self.came = threading.Condition()
        box = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if box.is_open:
                    with box.came:
                        box.messages.append(body)
                        box.came.notify_all()
                self.send_response(200 if box.is_open else 503)
                self.end_headers()

            def log_message(self, *arguments: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"json://127.0.0.1:{self.server.server_port}/?retry=0"

    @property
    def titles(self) -> list[str]:
        return [message["title"] for message in self.messages]

    def wait_for(self, title: str) -> None:
        with self.came:
            assert self.came.wait_for(lambda: title in self.titles, timeout=60), self.titles


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox()
    thread = threading.Thread(target=box.server.serve_forever)
    thread.start()
    yield box
    box.server.shutdown()
    thread.join()
    box.server.server_close()


def test_the_book_names_who_is_told_of_what(book: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    book.write_text("# the facility\njson://all\nnight, lab = json://night/?+key=a=b\nlab = json://lab:secret@lab\n")
    monkeypatch.setenv(VARIABLE, "json://chief  json://desk")

    def told(*names: str) -> list[str]:
        return [re.findall("//([^/?]*)", one.address)[0] for one in addressees(names)]

    assert told() == ["chief", "desk", "all"]
    assert told("night") == ["chief", "desk", "all", "night"]
    assert told("lab") == ["chief", "desk", "all", "night", "lab:****@lab"]
    with pytest.raises(ParameterError, match="no address with the name day; it has: lab, night"):
        addressees(["day"])
    with pytest.raises(ParameterError, match="the name day"):
        choose(tmp_path, ["day"])
    assert chosen(tmp_path) == []
    choose(tmp_path, ["night", "lab"])
    assert chosen(tmp_path) == ["night", "lab"]


def test_a_book_that_others_can_read_or_that_says_nonsense_is_refused(book: Path) -> None:
    book.write_text("json://desk\nnight = pigeon://secret@roof\n")
    with pytest.raises(ParameterError, match="line 2: an address that begins with 'pigeon' cannot be used") as refused:
        addressees(["night"])
    assert "secret" not in str(refused.value)
    book.chmod(0o640)
    with pytest.raises(ParameterError, match="chmod 600"):
        addressees()


def test_an_alarm_is_told_once_and_again_to_who_was_not_reached(
    book: Path, mailbox: Mailbox, invented: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Mailbox()  # nobody listens there
    other.server.server_close()
    monkeypatch.setenv(VARIABLE, f"{mailbox.address} {other.address}")
    invented.add(range(6))
    with invented.open() as session:
        watchman = Watchman(session, addressees())
        watchman.look()
        watchman.look()
        (message,) = mailbox.messages  # nothing came since 2023
        assert (message["title"], message["type"]) == ("Grid <b>7</b>: Acquisition", "warning")
        assert message["message"].startswith("No new file for")
        assert str(session.path) in message["message"]
        assert [addressee.address for _, addressee, _ in watchman._unsent] == [addressees()[1].address]
        mailbox.is_open = False
        watchman._situation.alarms._free = lambda _: (1, 10**12)
        watchman.look()
        mailbox.is_open = True
        watchman.look()
        assert mailbox.titles == ["Grid <b>7</b>: Acquisition", "Grid <b>7</b>: Disk"]


def test_what_somebody_knows_is_not_told(
    book: Path, mailbox: Mailbox, invented: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, mailbox.address)
    invented.add(range(6))
    invented.ledger.add_command("acknowledge", {"alarm": "Acquisition", "author": "somebody"})
    invented.ledger.add_command("acknowledge", {"alarm": "Disk", "author": "somebody"})
    with invented.open() as session:
        Watchman(session, addressees()).look()
    assert mailbox.messages == []


def test_a_session_that_ends_and_an_engine_that_is_killed_are_told_of(
    book: Path, mailbox: Mailbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book.write_text(f"night = {mailbox.address}\n")
    (tmp_path / "images").mkdir()
    write_mrc(tmp_path / "images" / "one.mrc", np.random.default_rng(1).normal(size=(64, 64)).astype(np.float32), 1.5)
    for name, count in (("whole", 1), ("cut", 2)):
        values = {"expected_count": count, "import.settle_time": 0}
        with emlab.create_session(
            tmp_path / name, "micrographs", micrographs=tmp_path / "images", voltage=300, **values
        ) as session:
            choose(session.path, ["night"])
            session.start(workers=1, gpus="", report_every=0)
            if name == "cut":
                engine = int(re.findall(r"\d+", (session.path / "lock").read_text())[0])
                watching = [one for one in psutil.Process(engine).children() if "emlab.watchman" in one.cmdline()]
                os.killpg(engine, signal.SIGKILL)
                mailbox.wait_for("cut: Engine")
                assert psutil.wait_procs(watching, timeout=60)[1] == []
            else:
                mailbox.wait_for("whole: finished")
    assert [title for title in mailbox.titles if title.startswith("whole")] == ["whole: finished"]


def test_a_trial_says_who_was_reached(
    book: Path, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from emlab.cli import main

    monkeypatch.setattr("sys.argv", ["emlab", "notify"])
    with pytest.raises(SystemExit):
        main()
    assert f"write an address into {book}" in capsys.readouterr().err
    monkeypatch.setenv(VARIABLE, mailbox.address)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("Sent to: json://127.0.0.1")
    assert mailbox.titles == ["emlab: a test"]
    assert addressees()[0].tell(Notice("error", "title", "text"))
    assert mailbox.messages[-1]["type"] == "failure"
