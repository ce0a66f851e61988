"""Where a session's engine listens."""

from __future__ import annotations

import os
import socket
import tempfile
from pathlib import Path

LONGEST_ADDRESS = 107
"""Bytes that the kernel takes as a socket's path."""


def control_addresses(session: Path) -> list[Path]:
    """Sockets at which the engine of a session's folder may listen; it takes the first.

    Each lies in a folder that only its owner can enter. There are several because not every process of a person has
    ``XDG_RUNTIME_DIR`` (those of cron lack it). The name comes from the folder itself, so that a copy of a session is
    not taken for the session.
    """
    status = session.stat()
    name = f"{status.st_dev:x}-{status.st_ino:x}.sock"
    user = os.getuid()
    roots = [
        *filter(None, [os.environ.get("XDG_RUNTIME_DIR")]),
        *filter(os.path.isdir, [f"/run/user/{user}"]),
        f"{tempfile.gettempdir()}/emlab-{user}",
        f"/tmp/emlab-{user}",  # noqa: S108 (the folder is the owner's alone)
    ]
    addresses = [Path(root, "emlab", name) for root in dict.fromkeys(roots)]
    return [address for address in addresses if len(os.fsencode(address)) <= LONGEST_ADDRESS]


def dial(session: Path) -> socket.socket:
    """Connect to the engine of a session.

    Raises
    ------
    OSError
        If none of this user's listens on this machine.
    """
    refusals = []
    for address in control_addresses(session):
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            line.connect(str(address))
        except OSError as error:
            line.close()
            refusals.append(error)
        else:
            return line
    raise refusals[0]
