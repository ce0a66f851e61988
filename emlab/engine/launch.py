"""Starting an engine that outlives whoever starts it."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from emlab.engine.control import send_command
from emlab.engine.options import EngineOptions
from emlab.errors import EngineUnreachable, SessionError
from emlab.python import python_module

PATIENCE = 60.0
"""Seconds that an engine has to answer after its start."""


def launch_engine(
    session: Path,
    options: EngineOptions,
    *,
    watch: bool = True,
) -> None:
    """Start a session's engine and wait until it answers.

    Parameters
    ----------
    options
        Kept in the session's folder; what they leave open is as it was the last time.
    watch
        Whether more files are taken in.

    Raises
    ------
    SessionError
        If it does not start; the message has the end of its log.
    """
    kept = EngineOptions.kept(session)
    options = options.over(kept)
    command = python_module("emlab.engine", str(session.resolve()), *options.arguments())
    command += [] if watch else ["--no-watch"]
    with (session / "engine.log").open("ab") as log:
        engine = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", start_new_session=True
        )
    _await(session, engine)
    if options != kept:
        options.keep(session)


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
