"""Serving pages in a browser: the live view, the form that starts sessions."""

from __future__ import annotations

import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from emlab.errors import ProgramError
from emlab.python import python_module

_PATIENCE: Final = 10.0
"""Seconds that a server has to end."""


@contextmanager
def served(
    arguments: Sequence[str], port: int = 0, log: Path | None = None
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Serve pages inside the block: the first one's address, and the server's process.

    Parameters
    ----------
    arguments
        Of ``python -m emlab_widgets``.
    port
        Of this machine; 0 for any that is free.
    log
        Where the server's errors go; to a file that nobody sees by default.

    Raises
    ------
    ProgramError
        If Voila or ipywidgets is not installed, the port cannot be used, or the server does not start.
    """
    if missing := [name for name in ("voila", "ipywidgets", "bqplot", "anywidget") if find_spec(name) is None]:
        raise ProgramError(f"Pages in a browser need {', '.join(missing)}. Install it: pip install 'emlab[app]'.")
    _check_port(port)
    command = python_module("emlab_widgets", *arguments, "--port", str(port))
    with log.open("w+") if log else tempfile.TemporaryFile("w+") as errors:
        server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, text=True)
        assert server.stdout is not None  # noqa: S101
        with server.stdout:
            address = server.stdout.readline().strip()
        if not address:
            code = server.wait()
            errors.seek(0)
            said = "\n".join(errors.read().strip().splitlines()[-8:])
            raise ProgramError(f"The page did not start: exit code {code}.{' Its log ends with:' * bool(said)}\n{said}")
    try:
        yield address, server
    finally:
        server.terminate()
        try:
            server.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            # A server that is starting a kernel may not hear it; its kernels end with it.
            server.kill()
            server.wait()


def _check_port(port: int) -> None:
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do, after one that has just ended
        try:
            trial.bind(("127.0.0.1", port))
        except OSError as error:
            raise ProgramError(
                f"Port {port} of this machine cannot be used ({error.strerror}). Give another with --port, or leave "
                "it out to get a free one."
            ) from error
