"""A disk of our own, to be filled, unplugged, and to lose its power."""

from __future__ import annotations

import fcntl
import os
import struct
import subprocess
import sys
import time
from pathlib import Path

_SHUT_DOWN = 0x8004587D
"""``FS_IOC_SHUTDOWN``: the file system stops at once; every later access is an input/output error."""
_WITH_ITS_LOG, _WITHOUT_ITS_LOG = 0, 2
_PATIENCE = 30.0
"""Seconds in which whoever is killed lets go of a file system."""


class Disk:
    """An ext4 file system in a file, mounted on a loop device; needs root.

    Parameters
    ----------
    image
        The file.
    place
        Where it is mounted.
    room
        Bytes.
    """

    def __init__(self, image: Path, place: Path, room: int) -> None:
        self.place = place
        self._image = image
        place.mkdir()
        with image.open("wb") as file:
            file.truncate(room)
        subprocess.run(["mkfs.ext4", "-q", "-F", "-m", "0", str(image)], check=True)
        if os.getuid() != 0 or self._mount().returncode:
            sys.exit("No file system can be mounted here; run it as root, or with --faults 0.")

    def cut_power(self) -> None:
        """What was not synced is gone."""
        self._shut_down(_WITHOUT_ITS_LOG)

    def fail(self) -> None:
        """Every access is an input/output error from now on; nothing is lost."""
        self._shut_down(_WITH_ITS_LOG)

    def unplug(self) -> None:
        """There is an empty folder in its place."""
        deadline = time.monotonic() + _PATIENCE
        while (ran := subprocess.run(["umount", self.place], check=False, capture_output=True, text=True)).returncode:
            if time.monotonic() > deadline:
                raise RuntimeError(ran.stderr)
            time.sleep(0.05)

    def plug(self) -> None:
        """It is back, with what it kept."""
        self._mount().check_returncode()

    def fill(self) -> Path:
        """Take all the room that is left; gives the file to be removed."""
        filler = self.place / "filler"
        with filler.open("wb") as file:
            room = os.statvfs(self.place)
            os.posix_fallocate(file.fileno(), 0, max(1, (room.f_bavail - 64) * room.f_frsize))
            try:
                while True:
                    file.write(bytes(4096))
                    file.flush()
            except OSError:
                return filler

    def close(self) -> None:
        """Take it away."""
        subprocess.run(["umount", "--lazy", self.place], check=False, capture_output=True)

    def _mount(self) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(["mount", "-o", "loop", self._image, self.place], check=False, capture_output=True)

    def _shut_down(self, how: int) -> None:
        folder = os.open(self.place, os.O_RDONLY)
        try:
            fcntl.ioctl(folder, _SHUT_DOWN, struct.pack("I", how))
        finally:
            os.close(folder)
