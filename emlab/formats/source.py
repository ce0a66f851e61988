"""A file that is read at any place, within bounds."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from numpy.typing import NDArray

from emlab.errors import FileUnavailable, FormatError, TruncatedFile


class Source:
    """A file's bytes, read on demand and never beyond its end; a context manager.

    Plain reads, not a memory map: a file that its writer cuts short ends in an error, not in SIGBUS.

    Attributes
    ----------
    path
        As given.
    size
        Bytes, when it was opened.

    Raises
    ------
    FileUnavailable
        If it is absent or may not be read.
    FormatError
        If it is not a regular file.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = str(path)
        try:
            # Not to wait for whoever may write to a pipe.
            self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except FileNotFoundError:
            raise FileUnavailable(
                f"There is no file {path}; check the name, and that the disk is mounted.", self.path
            ) from None
        except PermissionError:
            raise FileUnavailable(
                f"This user may not read {path}; ask its owner for read permission.", self.path
            ) from None
        status = os.fstat(self._descriptor)
        if not stat.S_ISREG(status.st_mode):
            self.close()
            kind = " but a folder" if stat.S_ISDIR(status.st_mode) else ""
            raise FormatError(f"{path} is not a file{kind}; give a file.")
        self.size = status.st_size

    def read(self, offset: int, count: int) -> bytes:
        """``count`` bytes from ``offset`` on.

        Raises
        ------
        TruncatedFile
            If the file ends before.
        """
        # Before so much memory is taken, which a damaged file may ask for.
        if offset + count > self.size:
            raise self._truncated(offset + count)
        data = os.pread(self._descriptor, count, offset)
        while len(data) < count:
            more = os.pread(self._descriptor, count - len(data), offset + len(data))
            if not more:
                raise self._truncated(offset + count)
            data += more
        return data

    def read_into(self, offset: int, array: NDArray[Any]) -> None:
        """Fill a contiguous array from ``offset`` on.

        Raises
        ------
        TruncatedFile
            If the file ends before.
        """
        rest = memoryview(array.data).cast("B")
        while rest:
            count = os.preadv(self._descriptor, [rest], offset)
            if not count:
                raise self._truncated(offset + len(rest))
            rest = rest[count:]
            offset += count

    def start(self, count: int) -> bytes:
        """The first ``count`` bytes, or as many as there are."""
        return os.pread(self._descriptor, count, 0)

    def close(self) -> None:
        """Give the file back."""
        os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _truncated(self, needed: int) -> TruncatedFile:
        return TruncatedFile(
            f"{self.path} ends at byte {self.size} but at least {needed} were expected; it is still being written, or "
            "copying was interrupted: wait, or copy it again."
        )
