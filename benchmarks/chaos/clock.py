"""A clock that can be set without setting everybody's: what the C library tells the session's processes."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path
from shutil import which

_SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

int clock_gettime(clockid_t clock, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    static const long *seconds_off;
    if (!real) {
        int file = open(getenv("CLOCK_OFF"), O_RDONLY | O_CLOEXEC);
        seconds_off = mmap(0, sizeof *seconds_off, PROT_READ, MAP_SHARED, file, 0);
        real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    }
    int failed = real(clock, now);
    if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) now->tv_sec += *seconds_off;
    return failed;
}
"""


class Clock:
    """The wall clock of processes that are started with `environment`; needs a C compiler.

    Parameters
    ----------
    folder
        For the library, and the file that says how far the clock is off.
    """

    def __init__(self, folder: Path) -> None:
        self._off = folder / "clock_off"
        self._library = folder / "clock.so"
        self.set(0)
        source = folder / "clock.c"
        source.write_text(_SOURCE)
        command = [which("cc") or "cc", "-shared", "-fPIC", "-O1", "-o", str(self._library), str(source), "-ldl"]
        subprocess.run(command, check=True)

    @staticmethod
    def is_possible() -> bool:
        """Whether there is a compiler."""
        return which("cc") is not None

    @property
    def environment(self) -> dict[str, str]:
        """Variables for the processes that it holds for."""
        return {"LD_PRELOAD": str(self._library), "CLOCK_OFF": str(self._off)}

    def set(self, seconds_off: int) -> None:
        """Have it be wrong by so many seconds, from now on."""
        with self._off.open("r+b" if self._off.exists() else "w+b") as file:
            file.write(struct.pack("q", seconds_off))
