"""Where a session's engine listens."""

from __future__ import annotations

import errno
import os
import socket
import stat
import struct
import tempfile
from pathlib import Path

from emlab.errors import SessionError

LONGEST_ADDRESS = 107
"""Bytes that the kernel takes as a socket's path."""


def control_addresses(session: Path) -> list[Path]:
    """Sockets at which the engine of a session's folder may listen.

    Each lies in a folder of this user's, or one that is not there yet; a folder of somebody else may have been made
    to be taken for it, and is passed over. There are several because not every process of a person has
    ``XDG_RUNTIME_DIR`` (those of cron lack it). The name comes from the session's folder itself, so that a copy of a
    session is not taken for the session.
    """
    status = session.stat()
    name = f"{status.st_dev:x}-{status.st_ino:x}.sock"
    user = os.getuid()
    folders = [
        *(f"{runtime}/emlab" for runtime in filter(None, [os.environ.get("XDG_RUNTIME_DIR")])),
        *(f"{runtime}/emlab" for runtime in filter(os.path.isdir, [f"/run/user/{user}"])),
        f"{tempfile.gettempdir()}/emlab-{user}",
        f"/tmp/emlab-{user}",  # noqa: S108 (whose it is is looked at)
    ]
    addresses = [Path(folder, name) for folder in dict.fromkeys(folders) if _may_be_own(folder)]
    return [address for address in addresses if len(os.fsencode(address)) <= LONGEST_ADDRESS]


def listen(session: Path) -> tuple[socket.socket, Path]:
    """Give a socket that takes calls for a session's engine, and its address, which only this user can reach.

    Raises
    ------
    SessionError
        If there is no place for it.
    """
    for address in control_addresses(session):
        try:
            address.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            address.parent.chmod(0o700)
            address.unlink(missing_ok=True)
        except OSError:
            continue
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(address))
        address.chmod(0o600)
        listener.listen()
        return listener, address
    raise SessionError(
        "There is no place for the engine's socket: XDG_RUNTIME_DIR names no folder that you can write to, and the "
        f"folder emlab-{os.getuid()} in {tempfile.gettempdir()} is another user's. Set XDG_RUNTIME_DIR to a folder of "
        "your own, with a short path."
    )


def dial(session: Path) -> socket.socket:
    """Connect to the engine of a session.

    Raises
    ------
    OSError
        If none of this user's, or of the session's owner, listens on this machine.
    """
    trusted = {os.getuid(), session.stat().st_uid, 0}
    refusals: list[OSError] = []
    for address in control_addresses(session):
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            line.connect(str(address))
            if (user := peer(line)) not in trusted:
                raise PermissionError(
                    errno.EACCES, f"the answer comes from user {user}, who is neither you nor the session's owner"
                )
        except OSError as error:
            line.close()
            refusals.append(error)
        else:
            return line
    raise refusals[0] if refusals else ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))


def peer(line: socket.socket) -> int:
    """User id of the process at the other end, as the kernel knows it."""
    credentials = line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", credentials)[1])


def _may_be_own(folder: str) -> bool:
    """Whether a folder is this user's, or not there yet."""
    try:
        status = os.lstat(folder)
    except OSError:
        return True
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid()
