"""The chain of image file directories that TIFF and EER files are made of.

Read to its end with every offset checked: libraries take an offset beyond the end of the file for the end of the
chain, and so a file that is still being copied for a shorter movie.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from emlab.errors import FormatError, TruncatedFile
from emlab.formats.source import Source

MAGIC: Final = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
"""How TIFF, BigTIFF and EER files begin."""

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC = 256, 257, 258, 259, 262
STRIP_OFFSETS, SAMPLES, ROWS_PER_STRIP, STRIP_SIZES = 273, 277, 278, 279
X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT, PREDICTOR = 282, 283, 296, 317
SUBFILE_TYPE, FILL_ORDER, SOFTWARE, SAMPLE_FORMAT, TILE_WIDTH = 254, 266, 305, 339, 322

EER_GAP_BITS, EER_X_BITS, EER_Y_BITS = 65007, 65008, 65009
_WANTED: Final = frozenset(
    {
        WIDTH, HEIGHT, BITS, COMPRESSION, STRIP_OFFSETS, SAMPLES, ROWS_PER_STRIP, STRIP_SIZES, X_RESOLUTION,
        RESOLUTION_UNIT, PREDICTOR, SUBFILE_TYPE, FILL_ORDER, SAMPLE_FORMAT, TILE_WIDTH, EER_GAP_BITS, EER_X_BITS,
        EER_Y_BITS,
    }
)  # fmt: skip

KINDS: Final = {1: "B", 2: "s", 3: "H", 4: "I", 5: "2I", 6: "b", 7: "s", 8: "h", 9: "i", 10: "2i"}
"""Format of the values of each of TIFF's types, as `struct` writes it; 2 and 7 are bytes."""
KINDS_BIG: Final = KINDS | {13: "I", 16: "Q", 17: "q", 18: "Q"}
"""The same in BigTIFF."""
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
        Those that say something about pixels: integers, or fractions of two integers each; none is empty.
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
        unit = {2: 2.54e8, 3: 1e8}.get(self.number(RESOLUTION_UNIT, 2))
        match self.tags.get(X_RESOLUTION):
            case (counts, units) if unit and counts:
                size = unit * units / counts
                return float(size) if 0.01 < size < 1e4 else None
        return None

    def number(self, code: int, default: int) -> int:
        """A tag's first value."""
        return int(self.tags.get(code, (default,))[0])


def read_pages(source: Source) -> Iterator[Page]:
    """Each page of the chain.

    Raises
    ------
    FormatError
        If it is not a TIFF, or one that cannot be read.
    TruncatedFile
        If a directory or pixels lie beyond the end of the file.
    """
    start = source.read(0, 4)
    if start not in MAGIC:
        raise FormatError(f"{source.path} is not a TIFF: it begins with {start!r}.")
    order = "<" if start[:1] == b"I" else ">"
    layout = _Layout(order, big=start[2:4] in (b"+\0", b"\0+"))
    offset = layout.first(source)
    seen = set()
    while offset:
        if offset in seen:
            raise FormatError(f"{source.path} is damaged: its chain of images forms a loop; copy it again.")
        seen.add(offset)
        tags, offset = layout.directory(source, offset)
        yield _page(source, tags, order)
    if not seen:
        raise TruncatedFile(f"{source.path} has no image yet; it is still being written. Wait.")


class _Layout:
    """How a classic or a big TIFF stores its directories."""

    def __init__(self, order: str, *, big: bool) -> None:
        self._big = big
        self._count = struct.Struct(f"{order}{'Q' if big else 'H'}")
        self._entry = struct.Struct(f"{order}HH{'Q8s' if big else 'I4s'}")
        self._offset = struct.Struct(f"{order}{'Q' if big else 'I'}")
        self._order = order
        self._kinds = KINDS_BIG if big else KINDS
        self._singles = {kind: struct.Struct(order + letter) for kind, letter in self._kinds.items() if letter != "s"}

    def first(self, source: Source) -> int:
        """Offset of the first directory."""
        position = 8 if self._big else 4
        return int(self._offset.unpack(source.read(position, self._offset.size))[0])

    def directory(self, source: Source, offset: int) -> tuple[dict[int, tuple[Any, ...]], int]:
        """Numeric tags of the directory at ``offset``, and the offset of the next."""
        window = source.read(offset, min(_AT_ONCE, max(source.size - offset, self._count.size)))
        (count,) = self._count.unpack_from(window)
        if not 0 < count <= _MOST_TAGS:
            raise FormatError(f"{source.path} is damaged: one of its images would have {count} tags; copy it again.")
        size = self._count.size + count * self._entry.size + self._offset.size
        if size > len(window):
            window = source.read(offset, size)
        tags = {}
        for code, kind, number, value in self._entry.iter_unpack(window[self._count.size : size - self._offset.size]):
            if code in _WANTED and number and kind in self._singles:
                single = self._singles[kind]
                if number == 1 and single.size <= len(value):
                    tags[code] = single.unpack_from(value)
                else:
                    tags[code] = self._values(source, kind, number, value)
        return tags, self._offset.unpack_from(window, size - self._offset.size)[0]

    def _values(self, source: Source, kind: int, number: int, value: bytes) -> tuple[Any, ...]:
        letter, size = self._kinds[kind], self._singles[kind].size * number
        if size > len(value):
            value = source.read(self._offset.unpack(value)[0], size)
        return struct.unpack_from(f"{self._order}{number * (1 + letter.startswith('2'))}{letter[-1]}", value)


def _page(source: Source, tags: Mapping[int, tuple[Any, ...]], order: str) -> Page:
    def number(code: int, default: int) -> int:
        values = tags.get(code)
        return int(values[0]) if values else default

    width, height = number(WIDTH, 0), number(HEIGHT, 0)
    if not (0 < width < _LONGEST_SIDE and 0 < height < _LONGEST_SIDE):
        raise FormatError(f"{source.path} is damaged: one of its images would be {width} × {height} px; copy it again.")
    if TILE_WIDTH in tags or number(SAMPLES, 1) != 1 or number(FILL_ORDER, 1) != 1:
        raise FormatError(
            f"{source.path} is a TIFF with tiles or colours; emlab reads grey images in strips: save it that way."
        )
    rows = min(number(ROWS_PER_STRIP, height), height)
    offsets, sizes = tags.get(STRIP_OFFSETS, ()), tags.get(STRIP_SIZES, ())
    if rows < 1 or len(offsets) != -(-height // rows) or len(sizes) != len(offsets):
        raise FormatError(
            f"{source.path} is damaged: {len(offsets)} strips of {rows} rows do not make an image of {height} rows; "
            f"copy it again."
        )
    if not all(offsets) or not all(sizes):
        raise TruncatedFile(f"{source.path} has an image without pixels; it is still being written. Wait.")
    end = max(offset + size for offset, size in zip(offsets, sizes, strict=True))
    if end > source.size:
        raise TruncatedFile(
            f"{source.path} has {source.size} bytes, but its images extend to byte {end}: it is still being written, "
            "or copying was interrupted."
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
