"""``python -m emlab_widgets SESSION`` serves the live view of a session on this machine."""

from __future__ import annotations

import argparse
import os
import secrets
import socket
import tempfile
from pathlib import Path

from emlab_widgets.app import page_server


def main() -> None:
    """Become the page's server, which prints the address when it answers."""
    parser = argparse.ArgumentParser(
        prog="python -m emlab_widgets", description="Serve the live view of a session on this machine."
    )
    parser.add_argument("session", type=Path, help="the session's folder")
    parser.add_argument("--port", type=int, help="a free one by default")
    arguments = parser.parse_args()
    token = os.environ.get("JUPYTER_TOKEN") or secrets.token_urlsafe(24)
    runtime = Path(tempfile.mkdtemp(prefix="emlab-"))
    server = page_server(arguments.session, arguments.port or _free_port(), token, runtime)
    os.execve(server.arguments[0], server.arguments, server.environment)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
