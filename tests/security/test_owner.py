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

from emlab.engine.control import ControlServer
from emlab.sets import control_addresses


@pytest.fixture
def open_to_all(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that every user may enter."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o755)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    yield folder
    shutil.rmtree(folder)


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
    if os.getuid() != 0:
        pytest.skip("only root can be another user")
    heard: list[dict[str, Any]] = []
    server = ControlServer(open_to_all, lambda command: heard.append(command) or {})  # type: ignore[func-returns-value]
    address = control_addresses(open_to_all)[0]

    def called_by_nobody() -> str:
        command = [sys.executable, "-c", CALL, str(address)]
        python = Path(sys.executable).resolve()
        command[0] = "/usr/bin/python3" if Path("/usr/bin/python3").exists() else str(python)
        nobody = pwd.getpwnam("nobody").pw_uid
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, user=nobody, cwd="/") as caller:
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
