"""``python -m emlab_widgets`` serves a session's live view, or the form that starts sessions, on this machine."""

from __future__ import annotations

import argparse
import os
import secrets
import socket
import tempfile
from pathlib import Path

from emlab_widgets.app import READ_ONLY, page_server

_OTHER_PORTS = 50
"""To try if somebody takes the free one while the server starts."""


def main() -> None:
    """Become the pages' server, which prints the first page's address when it answers."""
    parser = argparse.ArgumentParser(
        prog="python -m emlab_widgets", description="Serve a session's live view, or the form that starts sessions."
    )
    parser.add_argument("session", type=Path, nargs="?", help="the session's folder")
    parser.add_argument("--sessions", type=Path, help="where the form creates sessions, instead of one session")
    parser.add_argument("--template", help="a file with one more template for the form")
    parser.add_argument("--read-only", action="store_true", help="serve a page for users, which cannot change anything")
    parser.add_argument("--port", type=int, help="a free one by default")
    arguments = parser.parse_args()
    if (arguments.session is None) == (arguments.sessions is None):
        parser.error("give either a session or --sessions")
    if arguments.read_only:
        os.environ[READ_ONLY] = "1"
    server = page_server(
        arguments.port or _free_port(),
        os.environ.get("JUPYTER_TOKEN") or secrets.token_urlsafe(24),
        Path(tempfile.mkdtemp(prefix="emlab-")),
        session=arguments.session and arguments.session.resolve(),
        sessions=arguments.sessions and arguments.sessions.resolve(),
        template=arguments.template,
        other_ports=0 if arguments.port else _OTHER_PORTS,
    )
    os.execve(server.arguments[0], server.arguments, server.environment)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
