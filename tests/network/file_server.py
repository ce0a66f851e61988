"""A file server: what lies in a folder, on a mount of its own without file events, with faults on request.

``python file_server.py FOLDER MOUNT``; commands are JSON objects, one a line on standard input, each answered by one
line on standard output. The machine's kernel sees a file system in user space, as it sees sshfs: whatever is written
into FOLDER beside it is what another host has written.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections import Counter
from typing import Any

import mfusepy

STAT = [
    "st_atime_ns", "st_ctime_ns", "st_gid", "st_ino", "st_mode", "st_mtime_ns", "st_nlink", "st_size", "st_uid",
    "st_blocks",
]  # fmt: skip

UTIME_NOW = 2**30 - 1
"""Nanoseconds by which ``utimensat`` says now."""


class FileServer(mfusepy.Operations):
    """Passes everything through to a folder, counts it, and fails or hangs when told to."""

    use_ns = True

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._faults: dict[tuple[str, str], int] = {}
        self._hanging: set[tuple[str, str]] = set()
        self._answers = threading.Event()
        self._answers.set()
        self._held = threading.Event()

    def serve(self, command: dict[str, Any]) -> Any:
        """Answer one command."""
        which = (command.get("operation", ""), command.get("name", ""))
        match command["do"]:
            case "counts":
                with self._lock:
                    counts, self._counts = self._counts, Counter()
                return counts
            case "fail":
                self._faults[which] = command["error"]
            case "hang":
                self._held.clear()
                self._answers.clear()
                self._hanging.add(which)
            case "held":
                return self._held.wait(command["seconds"])
            case "mend":
                self._faults.clear()
                self._hanging.clear()
                self._answers.set()
        return None

    def _place(self, operation: str, path: str) -> str:
        with self._lock:
            self._counts[operation] += 1
        for which in ((operation, os.path.basename(path)), (operation, "")):
            if which in self._hanging:
                self._held.set()
                self._answers.wait()
            if number := self._faults.get(which):
                raise OSError(number, os.strerror(number))
        return self._folder + path

    def getattr(self, path, fh=None):
        place = self._place("getattr", path)
        status = os.fstat(fh) if fh is not None and path is None else os.lstat(place)
        return {name.removesuffix("_ns"): getattr(status, name) for name in STAT}

    def readdir(self, path, fh):
        with os.scandir(self._place("readdir", path)) as entries:
            found = [(entry.name, {"st_mode": entry.stat(follow_symlinks=False).st_mode}, 0) for entry in entries]
        return [".", "..", *found]

    def open(self, path, flags):
        return os.open(self._place("open", path), flags)

    def create(self, path, mode, fi=None):
        return os.open(self._place("create", path), os.O_RDWR | os.O_CREAT | os.O_TRUNC, mode)

    def read(self, path, size, offset, fh):
        self._place("read", path)
        return os.pread(fh, size, offset)

    def write(self, path, data, offset, fh):
        self._place("write", path)
        return os.pwrite(fh, data, offset)

    def truncate(self, path, length, fh=None):
        os.truncate(self._place("truncate", path), length)

    def fsync(self, path, datasync, fh):
        self._place("fsync", path)
        os.fsync(fh)

    def release(self, path, fh):
        os.close(fh)

    def chmod(self, path, mode):
        os.chmod(self._place("chmod", path), mode)

    def mkdir(self, path, mode):
        os.mkdir(self._place("mkdir", path), mode)

    def rmdir(self, path):
        os.rmdir(self._place("rmdir", path))

    def unlink(self, path):
        os.unlink(self._place("unlink", path))

    def rename(self, old, new):
        os.rename(self._place("rename", old), self._folder + new)

    def symlink(self, target, source):
        os.symlink(source, self._place("symlink", target))

    def readlink(self, path):
        return os.readlink(self._place("readlink", path))

    def utimens(self, path, times=None):
        place = self._place("utimens", path)
        is_now = times is None or times[1] % 10**9 == UTIME_NOW % 10**9  # libfuse passes the kernel's mark on
        if is_now:
            os.utime(place)
        else:
            os.utime(place, ns=times)

    def statfs(self, path):
        status = os.statvfs(self._folder)
        names = [name for name in dir(status) if name.startswith("f_") and name not in ("f_fsid", "f_flag")]
        return {name: getattr(status, name) for name in names}


def listen(server: FileServer) -> None:
    for line in sys.stdin:
        print(json.dumps(server.serve(json.loads(line))), flush=True)
    os._exit(0)  # whoever asked for it is gone


if __name__ == "__main__":
    server = FileServer(sys.argv[1])
    threading.Thread(target=listen, args=(server,), daemon=True).start()
    mfusepy.FUSE(server, sys.argv[2], foreground=True, attr_timeout=0, entry_timeout=0, negative_timeout=0)
