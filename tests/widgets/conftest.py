"""The pages' server, which tests of pages share."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from emlab.monitors.notices import VARIABLE


@dataclass
class Pages:
    """A server of launch form and live views.

    Attributes
    ----------
    launch
        The form's address, with the token.
    sessions
        The folder whose sessions are served.
    process
        The server's.
    """

    launch: str
    sessions: Path
    process: int

    def monitor(self, name: str) -> str:
        """The address of a session's live view."""
        return self.launch.replace("launch.ipynb?", f"monitor.ipynb?session={name}&")


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    """A server of pages; when it is killed at the end, nothing that it started may be left."""
    folder = tmp_path_factory.mktemp("pages")
    (folder / "sessions").mkdir()
    # Python's own module, which Jupyter's kernels import, has a namesake where the server is started.
    (folder / "code.py").write_text("raise SystemExit('a module of the folder was imported')")
    book = folder / "emlab" / "notify"
    book.parent.mkdir()
    book.touch(mode=0o600)
    book.write_text("night = json://127.0.0.1:9\n")  # where nobody listens
    with pytest.MonkeyPatch.context() as patch, (folder / "log").open("w") as log:
        patch.setenv("XDG_STATE_HOME", str(folder))
        patch.setenv("XDG_CONFIG_HOME", str(folder))
        patch.delenv(VARIABLE, raising=False)
        command = [sys.executable, "-P", "-m", "emlab_widgets", "--sessions", str(folder / "sessions")]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, cwd=folder)
    assert server.stdout is not None
    with server.stdout:
        address = server.stdout.readline().decode().strip()
    started: list[psutil.Process] = []
    try:
        assert address, (folder / "log").read_text()
        yield Pages(address, folder / "sessions", server.pid)
        # The process that kernels are copies of, and those.
        for child in psutil.Process(server.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):  # the kernel of a page that was closed just now
                started += [child] if "-c" in child.cmdline() else []
        assert started
    finally:
        server.kill()
        server.wait()
    _, left = psutil.wait_procs(started, timeout=30)
    assert left == []
