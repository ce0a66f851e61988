"""Starting an engine that outlives whoever starts it."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from emlab.engine.control import send_command
from emlab.errors import EngineUnreachable, SessionError
from emlab.python import python_module

PATIENCE = 60.0
"""Seconds that an engine has to answer after its start."""


def launch_engine(
    session: Path,
    *,
    workers: int | None,
    gpus: str | None,
    executor: str | None,
    time_limit: float | None,
    report_every: float,
    watch: bool,
) -> None:
    """Start a session's engine and wait until it answers; see `Session.start` for the parameters.

    The executor is remembered in the session's folder, and taken again where none is given.

    Raises
    ------
    SessionError
        If it does not start; the message has the end of its log.
    """
    kept = session / "executor"
    if executor is None and kept.exists():
        executor = kept.read_text(encoding="utf-8").strip()
    command = python_module("emlab.engine", str(session.resolve()), "--report", f"{report_every:g}")
    command += ["--workers", str(workers)] if workers else []
    command += [] if watch else ["--no-watch"]
    command += ["--gpus", gpus] if gpus is not None else []
    command += ["--time-limit", f"{time_limit:g}"] if time_limit else []
    command += ["--executor", executor] if executor else []
    with (session / "engine.log").open("ab") as log:
        engine = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", start_new_session=True
        )
    _await(session, engine)
    if executor:
        kept.write_text(f"{executor}\n", encoding="utf-8")


def _await(session: Path, engine: subprocess.Popen[bytes]) -> None:
    """Wait until the engine answers, or say why it ended."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            send_command(session, "ping", timeout=5)
        except EngineUnreachable:
            if (code := engine.poll()) == 0:
                return  # it found nothing left to do
            if code is not None:
                break
            time.sleep(0.02)
        else:
            engine.returncode = 0  # it is on its own from here: no warning when this object goes
            return
    lines = (session / "engine.log").read_text(errors="replace").splitlines()
    raise SessionError(f"The engine of {session} did not start. Its log ends with:\n" + "\n".join(lines[-8:]))
