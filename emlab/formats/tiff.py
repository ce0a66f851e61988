"""TIFF movies and images: grey, in strips, stored as they are or with LZW or deflate.

The last row of the file is the first of the array, and the other way round when one is written: a TIFF begins at the
top, an MRC at the bottom. So do RELION, MotionCor, IMOD and SerialEM, and as in these no orientation tag is followed;
then coordinates, shifts, gains and defects mean the same pixels here and there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, Literal

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from emlab.errors import DataError, FormatError
from emlab.formats import ifd
from emlab.formats.page_writer import PageWriter
from emlab.formats.source import Source

Array = NDArray[Any]
Compression = Literal["none", "lzw", "deflate"]

NAMES: Final = {1: "uncompressed", 5: "LZW", 8: "deflate", 32946: "deflate"}
"""What TIFF's numbers for the compressions that emlab reads mean."""
_LZW: Final = 5
_DECODERS: Final[dict[int, Any]] = {
    _LZW: imagecodecs.lzw_decode,
    8: imagecodecs.deflate_decode,
    32946: imagecodecs.deflate_decode,
}
_CODES: Final[dict[Compression, int]] = {"none": 1, "lzw": 5, "deflate": 8}
_KINDS: Final = {1: "u", 2: "i", 3: "f"}
_PACKED: Final = frozenset(
    (width // 2, height)
    for one, other in ((7676, 7420), (7680, 7424), (11520, 8184))
    for width, height in ((one, other), (other, one))
)
"""Widths and heights, px, of super-resolution frames of a K2 and a K3 with two counts in each byte.

SerialEM writes these, and nothing but their size tells them from frames of 8 bits: the list is IMOD's
(``sizeCanBe4BitK2SuperRes``), and RELION's too. No camera has frames of 8 bits of such a size.
"""
_HIGHEST_RATIO: Final = 2000
_STRIP: Final = 1 << 16


class TiffFrames:
    """The pages of a TIFF, decoded one at a time: axes (y, x), the file's last row first, in the file's type."""

    def __init__(self, path: str | Path) -> None:
        self._path = path
        with Source(path) as source:
            self.pages = movie_pages(source)
        self.dtype = _dtype(str(path), self.pages[0])

    @property
    def is_packed(self) -> bool:
        """Whether each byte holds two counts of 4 bits, the first in the low ones."""
        return _is_packed(self.pages[0])

    @property
    def shape(self) -> tuple[int, int, int]:
        """Frames, height, width."""
        page = self.pages[0]
        return len(self.pages), page.height, page.width * (2 if self.is_packed else 1)

    def __iter__(self) -> Iterator[Array]:
        with Source(self._path) as source:
            for page in self.pages:
                yield _decoded(source, page, self.dtype)

    def read(self, index: int) -> Array:
        """One page by itself, counted from 0; in any thread."""
        with Source(self._path) as source:
            return _decoded(source, self.pages[index], self.dtype)


def movie_pages(source: Source) -> list[ifd.Page]:
    """The pages of a TIFF, all of one kind; reduced copies, which some programs add, are left out.

    Raises
    ------
    FormatError
        If it is no TIFF, has no page, or has pages of different size or type.
    TruncatedFile
        If its end is missing.
    """
    pages = [page for page in ifd.read_pages(source) if not page.number(ifd.SUBFILE_TYPE, 0) & 1]
    if not pages:
        raise FormatError(f"{source.path} holds only reduced copies of images; export it again.")
    for number, page in enumerate(pages, 1):
        if _kind(page) != _kind(pages[0]):
            raise FormatError(
                f"{source.path} is not one movie: its frame {number} is {page.width} × {page.height} px of "
                f"{page.bits} bits, the first {pages[0].width} × {pages[0].height} px of {pages[0].bits} bits, or "
                "they are stored differently."
            )
    return pages


def read_tiff(path: str | Path) -> tuple[Array, float | None]:
    """All pixels, in the file's type, and the pixel size, Å.

    Returns
    -------
    array
        Axes (y, x), or (frame, y, x) where there is more than one page; the file's last row is the first.
    pixel_size
        ``None`` where the file does not tell.

    Raises
    ------
    FormatError
        If it is not a TIFF that emlab reads.
    TruncatedFile
        If its end is missing.
    """
    frames = TiffFrames(path)
    images = list(frames)
    return (images[0] if len(images) == 1 else np.stack(images)), frames.pages[0].pixel_size


def write_tiff_movie(
    path: str | Path, frames: Iterable[Array], pixel_size: float | None, compression: Compression = "lzw"
) -> None:
    """Write a movie frame by frame, as a microscope does: under its own name from the first byte on.

    Parameters
    ----------
    path
        Replaced if it is there.
    frames
        Each (y, x), an integer or floating type, whose last row is stored first; taken when the one before is in the
        file.
    pixel_size
        Å; ``None`` leaves it out.
    compression
        Of the strips.

    Raises
    ------
    DataError
        If there are no frames, or they are no images.
    """
    written = 0
    with PageWriter(path, big=False) as file:
        for frame in frames:
            if frame.ndim != 2 or frame.dtype.kind not in "uif":
                raise DataError(f"A frame is (y, x) of numbers, not {frame.dtype} {frame.shape}.")
            stored = np.ascontiguousarray(frame[::-1], dtype=frame.dtype.newbyteorder("<"))
            rows = max(1, _STRIP // (stored.shape[1] * stored.itemsize))
            strips = [_encoded(stored[row : row + rows], compression) for row in range(0, len(stored), rows)]
            tags = page_tags(stored.shape, stored.dtype, _CODES[compression], rows, pixel_size)
            file.append(tags, strips)
            written += 1
    if not written:
        raise DataError(f"No frames were written to {path}; a movie has at least one.")


def page_tags(
    shape: tuple[int, ...], dtype: np.dtype[Any], compression: int, rows: int, pixel_size: float | None
) -> dict[int, tuple[int, Any]]:
    """Tags of a grey image: code → type and values."""
    tags: dict[int, tuple[int, Any]] = {
        ifd.WIDTH: (4, [shape[1]]),
        ifd.HEIGHT: (4, [shape[0]]),
        ifd.BITS: (3, [dtype.itemsize * 8]),
        ifd.COMPRESSION: (3, [compression]),
        ifd.PHOTOMETRIC: (3, [1]),
        ifd.SAMPLES: (3, [1]),
        ifd.ROWS_PER_STRIP: (4, [rows]),
        ifd.SAMPLE_FORMAT: (3, [{kind: code for code, kind in _KINDS.items()}[dtype.kind]]),
        ifd.SOFTWARE: (2, b"emlab\0"),
    }
    if pixel_size:
        pixels_per_centimetre = [round(1e8 / pixel_size), 1]
        tags |= {
            ifd.X_RESOLUTION: (5, pixels_per_centimetre),
            ifd.Y_RESOLUTION: (5, pixels_per_centimetre),
            ifd.RESOLUTION_UNIT: (3, [3]),
        }
    return tags


def _encoded(rows: Array, compression: Compression) -> bytes:
    match compression:
        case "lzw":
            return bytes(imagecodecs.lzw_encode(rows.tobytes()))
        case "deflate":
            return bytes(imagecodecs.zlib_encode(rows.tobytes(), level=1))
        case "none":
            return rows.tobytes()


def _is_packed(page: ifd.Page) -> bool:
    return (page.bits, page.sample_format) == (8, 1) and (page.width, page.height) in _PACKED


def _kind(page: ifd.Page) -> tuple[int, ...]:
    return page.width, page.height, page.bits, page.sample_format, page.compression, page.predictor


def _dtype(path: str, page: ifd.Page) -> np.dtype[Any]:
    kind = _KINDS.get(page.sample_format)
    if kind is None or page.bits not in (8, 16, 32, 64) or (kind == "f" and page.bits == 8):
        raise FormatError(
            f"{path} has samples of {page.bits} bits with TIFF sample format {page.sample_format}; emlab reads "
            "integers and floats of 8 to 64 bits: convert it."
        )
    if page.compression not in NAMES or page.predictor not in (1, 2):
        raise FormatError(
            f"{path} is compressed with TIFF's method {page.compression} (predictor {page.predictor}); emlab reads "
            f"uncompressed, LZW and deflate: save it with one of these."
        )
    return np.dtype(f"{page.order}{kind}{page.bits // 8}")


def _decoded(source: Source, page: ifd.Page, dtype: np.dtype[Any]) -> Array:
    needed = page.height * page.width * dtype.itemsize
    if needed > sum(page.sizes) * _HIGHEST_RATIO:
        raise FormatError(
            f"{source.path} is damaged: {sum(page.sizes)} bytes cannot hold {page.width} × {page.height} px; "
            f"copy it again."
        )
    frame = np.empty((page.height, page.width), dtype)
    stored = frame.view(np.uint8)[::-1]
    for index in range(len(page.offsets)):
        rows = stored[index * page.rows_per_strip : (index + 1) * page.rows_per_strip]
        rows[:] = _strip(source, page, index, rows.size).reshape(rows.shape)
    if page.predictor == 2:
        np.cumsum(frame, axis=1, dtype=frame.dtype, out=frame)
    if _is_packed(page):
        counts = np.empty((*frame.shape, 2), np.uint8)
        np.bitwise_and(frame, 15, out=counts[..., 0])
        np.right_shift(frame, 4, out=counts[..., 1])
        return counts.reshape(page.height, -1)
    return frame.astype(dtype.newbyteorder("="), copy=False)


def _strip(source: Source, page: ifd.Page, index: int, size: int) -> Array:
    """The bytes of a strip's rows, decompressed: uint8 (byte,)."""
    coded = np.frombuffer(source.read(page.offsets[index], page.sizes[index]), np.uint8)
    if page.compression == _LZW:
        # When it is needed: who only looks at headers does not wait for compiled code.
        from emlab.arrays.lzw import decode_lzw

        if (decoded := decode_lzw(coded, size)).size == size:
            return decoded
    try:
        if page.compression == 1:
            decoded = coded
        else:
            decoded = np.frombuffer(_DECODERS[page.compression](coded, out=size), np.uint8)
    except (RuntimeError, ValueError, MemoryError) as error:
        raise FormatError(
            f"{source.path} is damaged: {NAMES[page.compression]} decompression fails ({error}); copy it again."
        ) from None
    if decoded.size < size:
        raise FormatError(
            f"{source.path} is damaged: its strip {index} holds fewer pixels than it should; copy it again."
        )
    return decoded[:size]
