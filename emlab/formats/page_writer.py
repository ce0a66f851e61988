"""Writing TIFF and EER files page by page, as microscopes do."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from emlab.formats import ifd


class PageWriter:
    """Writes a little-endian TIFF page by page, valid after each; a context manager.

    Parameters
    ----------
    path
        Replaced if it is there; written under its own name from the first byte on, as a microscope does.
    big
        Whether as BigTIFF, which may be longer than 4 GiB.
    """

    def __init__(self, path: str | Path, *, big: bool) -> None:
        self._file = Path(path).open("wb")  # noqa: SIM115 - closed by __exit__
        self._big = big
        self._word = "Q" if big else "I"
        self._link = 8 if big else 4
        self._file.write(struct.pack("<2sHHHQ", b"II", 43, 8, 0, 0) if big else struct.pack("<2sHI", b"II", 42, 0))
        self._file.flush()

    def append(self, tags: Mapping[int, tuple[int, Any]], strips: Sequence[bytes]) -> None:
        """Add a page.

        Parameters
        ----------
        tags
            Code → type and values (bytes for types 2 and 7), without those of the strips' places.
        strips
            As they are stored.
        """
        offsets = []
        for strip in strips:
            offsets.append(self._file.tell())
            self._file.write(strip)
        places = 16 if self._big else 4
        every = dict(tags) | {
            ifd.STRIP_OFFSETS: (places, offsets),
            ifd.STRIP_SIZES: (places, [len(strip) for strip in strips]),
        }
        entries = []
        for code, (kind, values) in sorted(every.items()):
            letter = ifd.KINDS_BIG[kind]
            data = values if letter == "s" else struct.pack(f"<{len(values)}{letter[-1]}", *values)
            number = len(values) // (2 if letter.startswith("2") else 1)
            if len(data) > struct.calcsize("<" + self._word):
                position = self._aligned()
                self._file.write(data)
                data = struct.pack("<" + self._word, position)
            entries.append(struct.pack(f"<HH{self._word}{'8s' if self._big else '4s'}", code, kind, number, data))
        start = self._aligned()
        self._file.write(struct.pack("<Q" if self._big else "<H", len(entries)) + b"".join(entries))
        link = self._file.tell()
        self._file.write(struct.pack("<" + self._word, 0))
        self._file.seek(self._link)
        self._file.write(struct.pack("<" + self._word, start))
        self._file.seek(0, 2)
        self._file.flush()
        self._link = link

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def _aligned(self) -> int:
        self._file.write(b"\0" * (-self._file.tell() % 8))
        return self._file.tell()
