"""A session is steered by its owner alone, and its pages need their token."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from emlab.engine.control import ControlServer, send_command
from emlab.errors import EngineUnreachable, SessionError
from emlab.sets import control_addresses

NOBODY = pwd.getpwnam("nobody").pw_uid


@pytest.fixture
def open_to_all(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that every user may enter."""
    if os.getuid() != 0:
        pytest.skip("only root can be another user")
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o755)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    yield folder
    shutil.rmtree(folder)


def as_another(program: str, *arguments: object) -> subprocess.Popen[str]:
    """Another user's process."""
    # Not ours, which that user may not be able to reach.
    python = "/usr/bin/python3" if Path("/usr/bin/python3").exists() else str(Path(sys.executable).resolve())
    command = [python, "-c", program, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, user=NOBODY, cwd="/")


CALL = """
import socket, sys
line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
try:
    line.connect(sys.argv[1])
    line.sendall(b'{"command": "stop"}\\n')
    print(line.recv(100))
except OSError as error:
    print(type(error).__name__)
"""


def test_another_user_reaches_the_socket_in_no_way(open_to_all: Path) -> None:
    """Its folder cannot be entered; and if it could, the kernel tells who calls."""
    heard: list[dict[str, Any]] = []
    server = ControlServer(open_to_all, lambda command: heard.append(command) or {})  # type: ignore[func-returns-value]
    address = control_addresses(open_to_all)[0]

    def called_by_nobody() -> str:
        with as_another(CALL, address) as caller:
            while caller.poll() is None:
                server.attend()
            assert caller.stdout is not None
            return caller.stdout.read().strip()

    assert called_by_nobody() == "PermissionError"
    address.parent.chmod(0o777)
    address.chmod(0o777)
    assert called_by_nobody() in {"b''", "ConnectionResetError", "BrokenPipeError"}
    server.attend()
    assert heard == []
    server.close()


ANSWER = """
import socket, sys
listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
listener.bind(sys.argv[1])
listener.listen()
print("listens", flush=True)
while True:
    line, _ = listener.accept()
    if line.recv(1000):
        line.sendall(b'{"state": "running"}\\n')
    line.close()
"""


def test_another_user_who_answers_in_the_engines_place_is_not_believed(open_to_all: Path) -> None:
    address = control_addresses(open_to_all)[0]
    address.parent.mkdir()
    address.parent.chmod(0o777)
    with as_another(ANSWER, address) as stranger:
        try:
            assert stranger.stdout is not None
            assert stranger.stdout.readline() == "listens\n"
            address.chmod(0o777)
            with pytest.raises(EngineUnreachable, match=f"user {NOBODY}, who is neither you nor the session's own"):
                send_command(open_to_all, "ping")
            os.chown(open_to_all, NOBODY, -1)
            assert send_command(open_to_all, "ping") == {"state": "running"}, "it is the session's owner's engine"
        finally:
            stranger.kill()


@pytest.fixture
def without_desktop(open_to_all: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a user's sockets where no desktop made one for him; another user has been there."""
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    monkeypatch.setattr("os.path.isdir", lambda path: False)
    monkeypatch.setattr("tempfile.tempdir", str(open_to_all))
    folder = open_to_all / "emlab-0"
    folder.mkdir()
    os.chown(folder, NOBODY, -1)
    return folder


def test_a_folder_of_sockets_that_another_user_made_is_not_used(without_desktop: Path, open_to_all: Path) -> None:
    server = ControlServer(open_to_all, lambda command: {})
    assert list(without_desktop.iterdir()) == []
    assert not any(address.is_relative_to(open_to_all) for address in control_addresses(open_to_all))
    server.close()
    os.chown(without_desktop, 0, -1)
    without_desktop.chmod(0o777)
    server = ControlServer(open_to_all, lambda command: {})
    assert without_desktop.stat().st_mode & 0o777 == 0o700, "which is mended"
    assert len(list(without_desktop.iterdir())) == 1
    server.close()


def test_where_there_is_no_place_for_a_socket_it_is_said_what_to_do(
    without_desktop: Path, open_to_all: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emlab.sets.address.LONGEST_ADDRESS", 3)
    with pytest.raises(SessionError, match="Set XDG_RUNTIME_DIR to a folder of your own"):
        ControlServer(open_to_all, lambda command: {})
    with pytest.raises(EngineUnreachable, match="No engine answers"):
        send_command(open_to_all, "ping")


def test_pages_listen_to_this_machine_alone_and_need_their_token(invented: Any, tmp_path: Path) -> None:
    invented.add(range(1))
    command = [sys.executable, "-m", "emlab_widgets", str(invented.path), "--read-only"]
    with (tmp_path / "log").open("w") as log, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log) as server:
        try:
            assert server.stdout is not None
            address = server.stdout.readline().decode().strip()
            bare, _, token = address.partition("?token=")
            port = int(bare.split(":")[2].partition("/")[0])
            assert len(token) >= 32
            assert token.encode() not in Path(f"/proc/{server.pid}/cmdline").read_bytes()
            heard = [line.laddr for line in psutil.Process(server.pid).net_connections() if line.status == "LISTEN"]
            assert {(place.ip, place.port) for place in heard} == {("127.0.0.1", port)}
            for place in ("api/kernels", "api/contents", "voila/render/monitor.ipynb"):
                with pytest.raises(urllib.error.HTTPError) as refused:
                    urllib.request.build_opener(_NoRedirect).open(f"http://127.0.0.1:{port}/{place}", timeout=30)
                refused.value.close()
                assert refused.value.code in {302, 403}
        finally:
            server.terminate()
            server.wait()


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments: Any) -> None:
        return None
