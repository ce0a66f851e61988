"""Engines and workers that are copies of this process, and how they are killed."""

from __future__ import annotations

import ctypes
import os
import random
import select
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from emlab.arrays import compiled
from emlab.engine import worker
from emlab.engine.executors.local import THREAD_SETTINGS, LocalExecutor
from emlab.engine.runner import Engine
from emlab.sets import Ledger

WORKERS = 2
LOOK = 0.002
"""Seconds between looks at what is waited for."""
BELLS = {"commit": b"c", "rename": b"r"}
_SUBREAPER = 36


def become_nursery() -> None:
    """Be a process that can be copied, which one with threads cannot, and be told when an orphan among them ends."""
    one_thread = dict.fromkeys(THREAD_SETTINGS, "1")
    if not one_thread.items() <= os.environ.items():
        os.execve(sys.executable, [sys.executable, "-m", "benchmarks", *sys.argv[1:]], os.environ | one_thread)
    threads = [thread.name for thread in threading.enumerate()]
    assert len(list(Path("/proc/self/task").iterdir())) == 1, f"there are threads: {threads} and others"
    ctypes.CDLL(None).prctl(_SUBREAPER, 1)


class Life:
    """One life of a session's engine, from its start.

    Parameters
    ----------
    session
        Its folder.
    """

    def __init__(self, session: Path) -> None:
        self._ears, bell = os.pipe()
        self._status: int | None = None
        self._log = session.with_suffix(".log")
        self._engine = os.fork()
        if self._engine == 0:
            _as_engine(session, self._log, bell)
        os.close(bell)

    def hear(self, moment: str, times: int, longest: float) -> bool:
        """Wait until the engine commits, or a worker renames, for the n-th time, or so long; whether it lives."""
        deadline = time.monotonic() + longest
        while times > 0 and (left := deadline - time.monotonic()) > 0:
            if select.select([self._ears], [], [], left)[0]:
                heard = os.read(self._ears, 4096)
                if not heard:
                    break
                times -= heard.count(BELLS[moment])
        return self._is_alive()

    def sleep(self, seconds: float) -> bool:
        """Wait; whether the engine lives."""
        time.sleep(seconds)
        return self._is_alive()

    def strike(self, whom: str, rng: random.Random) -> str:
        """Kill; gives who was killed, which is the engine alone where there is no worker."""
        if workers := _children(self._engine):
            if whom != "engine":
                with suppress(ProcessLookupError):
                    os.kill(rng.choice(workers), signal.SIGKILL)
        else:
            whom = "engine"
        if whom != "worker":
            os.kill(self._engine, signal.SIGKILL)
            self._end()
        return whom

    def wait(self, reached: Callable[[], bool] | None, longest: float) -> None:
        """Let it live until something is reached, then kill it; or until it ends.

        Raises
        ------
        TimeoutError
            If it takes too long.
        """
        deadline = time.monotonic() + longest
        while self._is_alive() and not (reached and reached()):
            if time.monotonic() > deadline:
                os.kill(self._engine, signal.SIGKILL)
                self._end()
                raise TimeoutError(f"an engine that nobody struck did not do its work in {longest:g} s")
            time.sleep(LOOK)
        if self._status is None:
            os.kill(self._engine, signal.SIGKILL)
            self._end()

    def _is_alive(self) -> bool:
        if self._status is None:
            pid, status = os.waitpid(self._engine, os.WNOHANG)
            if pid:
                self._end(status)
        return self._status is None

    def _end(self, status: int | None = None) -> None:
        """Bury it and its workers, who die with it."""
        self._status = os.waitpid(self._engine, 0)[1] if status is None else status
        os.close(self._ears)
        with suppress(ChildProcessError):
            while True:
                os.waitpid(-1, 0)
        if os.WIFEXITED(self._status) and os.WEXITSTATUS(self._status):
            sys.exit(f"An engine broke down by itself:\n{self._log.read_text()}")


class _Nest(LocalExecutor):
    """Worker processes that are copies of the engine's, whose renames ring a bell."""

    def __init__(self, bell: int) -> None:
        self._bell = bell
        super().__init__(WORKERS)

    def _spawn(self, theirs: socket.socket, name: str, device: str) -> Any:
        parent = os.getpid()
        if child := os.fork():
            return _Fork(child)
        try:
            line = theirs.detach()
            _close_all_but(line, self._bell)
            sys.addaudithook(lambda event, _: _ring(self._bell, "rename") if event == "os.rename" else None)
            compiled.compile_kernels = lambda *_: None
            worker.main(line, name, device, parent)
        except BaseException:
            traceback.print_exc()
            raise
        finally:
            os._exit(0)


class _Fork:
    """As much of a `subprocess.Popen` as an executor needs."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def kill(self) -> None:
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)

    def poll(self) -> int | None:
        return self._waited(os.WNOHANG)

    def wait(self, timeout: float | None = None) -> int | None:
        return self._waited(0)

    def _waited(self, options: int) -> int | None:
        if self.returncode is None and (found := os.waitpid(self.pid, options))[0]:
            self.returncode = os.waitstatus_to_exitcode(found[1])
        return self.returncode


def _as_engine(session: Path, log: Path, bell: int) -> None:
    """Be the session's engine; does not return."""
    try:
        with log.open("wb") as file:
            os.dup2(file.fileno(), sys.stderr.fileno())
        _close_all_but(bell)
        os.set_blocking(bell, False)
        Ledger.transaction = _ringing(Ledger.transaction, bell)  # type: ignore[method-assign]
        Engine(session, lambda: _Nest(bell)).run()
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        os._exit(1)


def _ringing(transaction: Any, bell: int) -> Any:
    @contextmanager
    def ringing(ledger: Ledger) -> Iterator[None]:
        with transaction(ledger):
            yield
            _ring(bell, "commit")

    return ringing


def _ring(bell: int, what: str) -> None:
    with suppress(BlockingIOError, BrokenPipeError):
        os.write(bell, BELLS[what])


def _close_all_but(*kept: int) -> None:
    """Let go of what was inherited: a lock that somebody else holds open is not free."""
    for number in [int(link.name) for link in Path("/proc/self/fd").iterdir()]:
        if number > sys.stderr.fileno() and number not in kept:
            with suppress(OSError):  # the listing's own is closed already
                os.close(number)


def _children(process: int) -> list[int]:
    try:
        return [int(pid) for pid in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []
