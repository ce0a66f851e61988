"""The engine answers its owner, and nudges whoever listens."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from multiprocessing import connection
from pathlib import Path
from typing import Any

import pytest

from emlab.engine import control
from emlab.engine.control import ControlServer, send_command
from emlab.errors import EngineUnreachable, SessionError
from emlab.sets import Catalogue, Ledger, Nudge, control_addresses, dial
from emlab.sets.address import listen


@pytest.fixture(autouse=True)
def runtime_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


class Served:
    """A control server with a thread that attends it."""

    def __init__(self, folder: Path) -> None:
        self.heard: list[dict[str, Any]] = []
        self.server = ControlServer(folder, self._answer)
        self._over, self._end = socket.socketpair()
        self.thread = threading.Thread(target=self._attend)
        self.thread.start()

    def close(self) -> None:
        self._end.send(b"x")
        self.thread.join()
        self.server.close()
        self._over.close()
        self._end.close()

    def _answer(self, command: dict[str, Any]) -> dict[str, Any]:
        self.heard.append(command)
        return {"heard": command["command"]}

    def _attend(self) -> None:
        while self._over not in connection.wait([self.server.fileno(), self._over]):
            self.server.attend()


@pytest.fixture
def served(folder: Path) -> Iterator[Served]:
    served = Served(folder)
    yield served
    served.close()


def test_a_command_is_answered(served: Served, folder: Path) -> None:
    assert send_command(folder, "stop", now=True) == {"heard": "stop"}
    assert served.heard == [{"command": "stop", "now": True}]


def test_what_is_not_json_is_refused_and_the_next_one_served(served: Served, folder: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(10)
        line.connect(str(control_addresses(folder)[0]))
        line.sendall(b"stop\n")
        assert b"expected a JSON object with a command" in line.recv(1000)
        line.sendall(b'{"command": "ping"}\n')
        assert b"ping" in line.recv(1000)


def test_endless_input_is_hung_up_on(served: Served, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "LONGEST_LINE", 65536)
    with pytest.raises(SessionError, match="takes 70,030 bytes, but the engine accepts at most 65,536"):
        send_command(folder, "judge", x="x" * 70_000)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(10)
        line.connect(str(control_addresses(folder)[0]))
        with pytest.raises(OSError, match="."):
            for _ in range(100):
                line.sendall(b"x" * 65536)
    assert send_command(folder, "ping") == {"heard": "ping"}


def test_more_callers_than_it_can_have_are_hung_up_on_and_the_others_served(
    served: Served, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "MOST_CALLERS", 2)
    lines = [dial(folder) for _ in range(3)]
    lines[2].settimeout(10)
    assert lines[2].recv(10) == b""
    for line in lines[:2]:
        line.settimeout(10)
        line.sendall(b'{"command": "ping"}\n')
        assert b"ping" in line.recv(100)
    for line in lines:
        line.close()


def test_whoever_leaves_in_the_middle_of_a_command_ends_nothing(served: Served, folder: Path) -> None:
    for command in (b"ping", b"subscribe"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.connect(str(control_addresses(folder)[0]))
            line.sendall(b'{"command": "%b"}\n' % command * 3)
    assert send_command(folder, "ping") == {"heard": "ping"}


def test_a_reader_that_leaves_while_something_is_committed_ends_nothing(tmp_path: Path, folder: Path) -> None:
    """One look finds a command, whose commit is nudged, and a subscriber that is gone."""
    server = ControlServer(folder, lambda command: server.nudge() or {})  # type: ignore[func-returns-value]
    address = str(control_addresses(folder)[0])
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as owner,
        socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as reader,
    ):
        for line in (owner, reader):
            line.connect(address)
            server.attend()
        reader.sendall(b'{"command": "subscribe"}\n')
        for _ in range(2):  # until the selector has none in line, so that the command comes first
            server.attend()
        owner.sendall(b'{"command": "pause"}\n')
        reader.close()
        server.attend()
        assert owner.recv(100) == b"{}\n"
    server.close()


def test_a_refusal_is_raised(tmp_path: Path, folder: Path) -> None:
    server = ControlServer(folder, lambda command: {"error": "it is too late"})
    refused: list[SessionError] = []

    def resume() -> None:
        try:
            send_command(folder, "resume")
        except SessionError as error:
            refused.append(error)

    client = threading.Thread(target=resume)
    client.start()
    while client.is_alive():
        connection.wait([server.fileno()], 0.1)
        server.attend()
    server.close()
    assert str(refused[0]) == "The engine refused to resume: it is too late."


def test_a_subscriber_hears_at_once_of_what_was_committed_while_it_dialled(served: Served, folder: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(10)
        line.connect(str(control_addresses(folder)[0]))
        line.sendall(b'{"command": "subscribe"}\n')
        assert line.recv(10) == b"\n"


@pytest.mark.parametrize("variable", ["XDG_RUNTIME_DIR", "TMPDIR"])
def test_an_address_that_the_kernel_would_refuse_is_replaced(
    tmp_path: Path, variable: str, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    long = tmp_path / ("long" * 30)
    long.mkdir()
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    monkeypatch.setenv(variable, str(long))
    monkeypatch.setattr("tempfile.tempdir", None)
    server = ControlServer(folder, lambda _: {})
    server.close()
    assert not any(address.is_relative_to(long) for address in control_addresses(folder))


def test_only_the_owner_can_reach_it(served: Served, folder: Path) -> None:
    path = control_addresses(folder)[0]
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_no_engine_is_a_sentence(folder: Path) -> None:
    with pytest.raises(
        EngineUnreachable, match="No engine answers for .*it is not running, or it runs on another machine"
    ):
        send_command(folder, "ping")


@pytest.mark.parametrize(("said", "timeout", "why"), [(b'{"state": "runn', 30, ""), (None, 0.05, " (timed out)")])
def test_an_engine_that_dies_or_hangs_in_the_middle_of_its_answer_is_a_sentence(
    folder: Path, said: bytes | None, timeout: float, why: str
) -> None:
    listener, address = listen(folder)
    with listener:

        def answer() -> None:
            line, _ = listener.accept()
            with line:
                line.recv(1000)
                if said is None:
                    line.recv(1000)  # until the caller gives up
                else:
                    line.sendall(said)

        thread = threading.Thread(target=answer)
        thread.start()
        says = re.escape(f"No engine answers for {folder}{why}: ")
        with pytest.raises(EngineUnreachable, match=says):
            send_command(folder, "ping", timeout=timeout)
        thread.join()
    address.unlink()


def test_a_commit_wakes_a_reader(served: Served, tmp_path: Path) -> None:
    ledger = Ledger.create(tmp_path / "session.db", {"uuid": "0" * 32})
    catalogue = Catalogue(tmp_path / "session.db")
    nudge = Nudge(catalogue)
    assert not nudge.wait(0.0)
    woken: list[bool] = []
    reader = threading.Thread(target=lambda: woken.append(nudge.wait(20)))
    reader.start()
    with ledger.transaction():
        ledger.set_meta("state", "running")
    served.server.nudge()
    reader.join()
    assert woken == [True]
    nudge.close()
    catalogue.close()
    ledger.close()


def test_without_an_engine_a_reader_looks_for_itself(tmp_path: Path) -> None:
    ledger = Ledger.create(tmp_path / "session.db", {"uuid": "0" * 32})
    catalogue = Catalogue(tmp_path / "session.db")
    nudge = Nudge(catalogue)
    assert not nudge.wait(0.01)
    with ledger.transaction():
        ledger.set_meta("state", "running")
    assert nudge.wait(20)
    nudge.close()
    catalogue.close()
    ledger.close()


def test_an_engine_is_found_by_a_client_of_another_environment(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Processes of cron have no XDG_RUNTIME_DIR."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    monkeypatch.setattr("os.path.isdir", lambda path: False)
    served = Served(folder)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "of-a-desktop"))
    assert send_command(folder, "ping") == {"heard": "ping"}
    served.close()


def test_the_engine_of_a_session_is_not_that_of_its_copy(served: Served, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    with pytest.raises(EngineUnreachable):
        send_command(copy, "stop")
    assert served.heard == []
