"""The chain of image file directories that TIFF and EER files are made of.

Read to its end with every offset checked: libraries take an offset beyond the end of the file for the end of the
chain, and so a file that is still being copied for a shorter movie.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from emlab.errors import FormatError, TruncatedFile
from emlab.formats.source import Source

MAGIC: Final = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
"""How TIFF, BigTIFF and EER files begin."""

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC = 256, 257, 258, 259, 262
STRIP_OFFSETS, SAMPLES, ROWS_PER_STRIP, STRIP_SIZES = 273, 277, 278, 279
X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT, PREDICTOR = 282, 283, 296, 317
SUBFILE_TYPE, FILL_ORDER, SOFTWARE, SAMPLE_FORMAT, TILE_WIDTH = 254, 266, 305, 339, 322

_KINDS: Final = {1: "B", 2: "s", 3: "H", 4: "I", 5: "2I", 6: "b", 7: "s", 8: "h", 9: "i", 10: "2i", 11: "f", 12: "d"}
_KINDS_BIG: Final = _KINDS | {13: "I", 16: "Q", 17: "q", 18: "Q"}
_MOST_TAGS: Final = 4096
_LONGEST_SIDE: Final = 1 << 17
_AT_ONCE: Final = 512


@dataclass(frozen=True, slots=True)
class Page:
    """One image of the chain.

    Attributes
    ----------
    width, height
        px.
    bits
        Per sample.
    sample_format
        1 unsigned, 2 signed, 3 floating.
    compression, predictor
        TIFF's numbers.
    rows_per_strip
        Rows that a strip holds; the last may hold fewer.
    offsets, sizes
        Of each strip, bytes.
    order
        ``<`` or ``>``.
    tags
        All numeric tags that are stored within the directory itself.
    """

    width: int
    height: int
    bits: int
    sample_format: int
    compression: int
    predictor: int
    rows_per_strip: int
    offsets: tuple[int, ...]
    sizes: tuple[int, ...]
    order: str
    tags: Mapping[int, tuple[Any, ...]]

    @property
    def pixel_size(self) -> float | None:
        """Å, of the resolution tags; ``None`` where they are absent or those of a printer."""
        unit = {2: 2.54e8, 3: 1e8}.get(self.tags.get(RESOLUTION_UNIT, (2,))[0])
        counts, units = self.tags.get(X_RESOLUTION, (0, 0))
        if not unit or not counts or not units:
            return None
        size = unit * units / counts
        return float(size) if 0.01 < size < 1e4 else None


def read_pages(source: Source) -> Iterator[Page]:
    """Each page of the chain.

    Raises
    ------
    FormatError
        If it is not a TIFF, or one that cannot be read.
    TruncatedFile
        If a directory or pixels lie beyond the end of the file.
    """
    start = source.start(16)
    if start[:4] not in MAGIC:
        raise FormatError(f"{source.path} is not a TIFF: it begins with {start[:4]!r}.")
    order = "<" if start[:1] == b"I" else ">"
    layout = _Layout(order, big=start[2:4] in (b"+\0", b"\0+"))
    offset = layout.first(source)
    seen = set()
    while offset:
        if offset in seen:
            raise FormatError(f"{source.path} is damaged: its chain of images runs in a circle; copy it again.")
        seen.add(offset)
        tags, offset = layout.directory(source, offset)
        yield _page(source, tags, order)
    if not seen:
        raise TruncatedFile(f"{source.path} has no image yet; it is still being written: wait.")


class _Layout:
    """How a classic or a big TIFF stores its directories."""

    def __init__(self, order: str, *, big: bool) -> None:
        self._big = big
        self._count = struct.Struct(f"{order}{'Q' if big else 'H'}")
        self._entry = struct.Struct(f"{order}HH{'Q8s' if big else 'I4s'}")
        self._offset = struct.Struct(f"{order}{'Q' if big else 'I'}")
        self._order = order
        self._kinds = _KINDS_BIG if big else _KINDS

    def first(self, source: Source) -> int:
        """Offset of the first directory."""
        position = 8 if self._big else 4
        return int(self._offset.unpack(source.read(position, self._offset.size))[0])

    def directory(self, source: Source, offset: int) -> tuple[dict[int, tuple[Any, ...]], int]:
        """Numeric tags of the directory at ``offset``, and the offset of the next."""
        window = source.read(offset, min(_AT_ONCE, max(source.size - offset, self._count.size)))
        (count,) = self._count.unpack_from(window)
        if not 0 < count <= _MOST_TAGS:
            raise FormatError(f"{source.path} is damaged: an image of it would have {count} tags; copy it again.")
        size = self._count.size + count * self._entry.size + self._offset.size
        if size > len(window):
            window = source.read(offset, size)
        tags = {}
        for code, kind, number, value in self._entry.iter_unpack(window[self._count.size : size - self._offset.size]):
            letter = self._kinds.get(kind)
            if letter not in (None, "s"):
                tags[code] = self._values(source, letter, number, value)
        return tags, self._offset.unpack_from(window, size - self._offset.size)[0]

    def _values(self, source: Source, letter: str, number: int, value: bytes) -> tuple[Any, ...]:
        pairs = letter.startswith("2")
        size = struct.calcsize("=" + letter) * number
        if size > len(value):
            value = source.read(self._offset.unpack(value)[0], size)
        return struct.unpack_from(f"{self._order}{number * (1 + pairs)}{letter[-1]}", value)


def _page(source: Source, tags: Mapping[int, tuple[Any, ...]], order: str) -> Page:
    def number(code: int, default: int) -> int:
        values = tags.get(code) or (default,)
        return int(values[0])

    width, height = number(WIDTH, 0), number(HEIGHT, 0)
    if not (0 < width < _LONGEST_SIDE and 0 < height < _LONGEST_SIDE):
        raise FormatError(f"{source.path} is damaged: an image of it would be {width} × {height} px; copy it again.")
    if TILE_WIDTH in tags or number(SAMPLES, 1) != 1 or number(FILL_ORDER, 1) != 1:
        raise FormatError(
            f"{source.path} is a TIFF in tiles or colours; emlab reads grey images in strips: save it as such."
        )
    rows = min(number(ROWS_PER_STRIP, height), height)
    offsets, sizes = tags.get(STRIP_OFFSETS, ()), tags.get(STRIP_SIZES, ())
    if rows < 1 or len(offsets) != -(-height // rows) or len(sizes) != len(offsets):
        raise FormatError(
            f"{source.path} is damaged: {len(offsets)} strips of {rows} rows do not make an image of {height} rows; "
            f"copy it again."
        )
    if not all(offsets) or not all(sizes):
        raise TruncatedFile(f"{source.path} has an image without pixels; it is still being written: wait.")
    end = max(offset + size for offset, size in zip(offsets, sizes, strict=True))
    if end > source.size:
        raise TruncatedFile(
            f"{source.path} has {source.size} bytes; its images reach to byte {end}: it is still being written, or its "
            f"copy broke off."
        )
    return Page(
        width=width,
        height=height,
        bits=number(BITS, 1),
        sample_format=number(SAMPLE_FORMAT, 1),
        compression=number(COMPRESSION, 1),
        predictor=number(PREDICTOR, 1),
        rows_per_strip=rows,
        offsets=offsets,
        sizes=sizes,
        order=order,
        tags=tags,
    )


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
        every = dict(tags) | {STRIP_OFFSETS: (places, offsets), STRIP_SIZES: (places, [len(strip) for strip in strips])}
        entries = []
        for code, (kind, values) in sorted(every.items()):
            letter = _KINDS_BIG[kind]
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
