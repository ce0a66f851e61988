"""``python -m emlab_widgets SESSION [--port N]``: serve the live view; its address is the first line printed."""

from __future__ import annotations

import argparse
import os
import secrets
import socket
from pathlib import Path

from emlab_widgets.app import page_server


def main() -> None:
    """Print the address, then become the server."""
    parser = argparse.ArgumentParser(prog="python -m emlab_widgets", description=__doc__)
    parser.add_argument("session", type=Path)
    parser.add_argument("--port", type=int, default=0, help="0 for any that is free")
    arguments = parser.parse_args()
    server = page_server(arguments.session, arguments.port or _free_port(), secrets.token_urlsafe(16))
    print(server.address, flush=True)
    os.execve(server.arguments[0], server.arguments, server.environment)


def _free_port() -> int:
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        return int(line.getsockname()[1])


if __name__ == "__main__":
    main()
