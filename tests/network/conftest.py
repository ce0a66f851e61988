"""A network file system: a mount without file events, whose server another process is."""

from __future__ import annotations

import ctypes.util
import importlib.util
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest


class Mounted:
    """A folder of a file server, and where it is mounted."""

    def __init__(self, served: Path, path: Path) -> None:
        self.served = served
        """Where another host writes: this machine's kernel hears nothing of it."""
        self.path = path
        self._lock = threading.Lock()
        command = [sys.executable, Path(__file__).with_name("file_server.py"), served, path]
        self._server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 30
        while not path.is_mount():
            assert self._server.poll() is None, "the file server ended before its folder was mounted"
            assert time.monotonic() < deadline, "the file server's folder was not mounted within 30 s"
            time.sleep(0.01)

    def ask(self, do: str, **what: Any) -> Any:
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        with self._lock:
            self._server.stdin.write(json.dumps({"do": do, **what}) + "\n")
            self._server.stdin.flush()
            return json.loads(self._server.stdout.readline())

    def fail(self, operation: str, name: str, error: int) -> None:
        """Have an operation on files of a name fail from now on; the empty name is any."""
        self.ask("fail", operation=operation, name=name, error=error)

    def hang(self, operation: str, name: str = "") -> None:
        """Have it get no answer."""
        self.ask("hang", operation=operation, name=name)

    def until_held(self) -> None:
        """Wait until somebody waits for an answer."""
        deadline = time.monotonic() + 180
        while not self.ask("held", seconds=0.05):
            assert time.monotonic() < deadline, "nobody asked the server within 180 s"

    def mend(self) -> None:
        self.ask("mend")

    def counts(self) -> dict[str, int]:
        """What the server was asked since the last call, by kind."""
        found: dict[str, int] = self.ask("counts")
        return found

    def close(self) -> None:
        self._server.kill()  # whoever still waits for it gets an error then
        self._server.wait()
        for pipe in (self._server.stdin, self._server.stdout):
            assert pipe is not None
            pipe.close()
        subprocess.run(["umount", "--lazy", self.path], check=True)


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Callable[..., Mounted]]:
    """Mounts a folder, a second time too: as two hosts that share it would, neither sees the locks of the other."""
    if not os.access("/dev/fuse", os.R_OK | os.W_OK) or os.getuid() != 0:
        pytest.skip("a file system in user space needs root and /dev/fuse")
    if importlib.util.find_spec("mfusepy") is None or ctypes.util.find_library("fuse3") is None:
        pytest.skip("there is no libfuse3 on this machine (Debian: apt install libfuse3-3), or no mfusepy")
    mounted: list[Mounted] = []

    def made() -> Mounted:
        served, path = tmp_path / "served", tmp_path / f"host_{len(mounted)}"
        served.mkdir(exist_ok=True)
        path.mkdir()
        mounted.append(Mounted(served, path))
        return mounted[-1]

    yield made
    for one in mounted:
        one.close()
