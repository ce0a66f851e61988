"""EER movies: the place of each electron in each raw frame of a Falcon camera.

A raw frame is a run of codes: how many pixels without an electron precede one (the highest value: that many, and
none yet), then where in the pixel it fell, two bits each way. Layout: Guo et al. 2020, doi:10.1107/S205225252000929X.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from emlab.errors import DataError, FormatError, ParameterError
from emlab.formats import ifd
from emlab.formats.kind import EER_COMPRESSIONS
from emlab.formats.page_writer import PageWriter
from emlab.formats.source import Source
from emlab.formats.tiff import page_tags

Array = NDArray[Any]

_METADATA: Final = 65001
_HIGHEST_RATIO: Final = 4096


class EerFrames:
    """The fractions of an EER, each the sum of ``grouping`` raw frames: axes (y, x), unsigned counts.

    Parameters
    ----------
    path
        The file.
    grouping
        Raw frames a fraction; those that remain at the end are left out.
    upsampling
        1 for the sensor's own pixels, 2 for half pixels.

    Raises
    ------
    FormatError
        If it is not an EER, or has fewer raw frames than a fraction needs.
    TruncatedFile
        If its end is missing.
    ParameterError
        If ``grouping`` or ``upsampling`` cannot be.
    """

    def __init__(self, path: str | Path, grouping: int = 1, upsampling: int = 1) -> None:
        if grouping < 1 or upsampling not in (1, 2):
            raise ParameterError(
                f"An EER cannot be read with grouping {grouping} and upsampling {upsampling}; a fraction needs at "
                "least one raw frame, and upsampling is 1 (4K) or 2 (8K)."
            )
        self._path = path
        self._grouping = grouping
        self._upsampling = upsampling
        with Source(path) as source:
            self.pages = eer_pages(source)
        if len(self.pages) < grouping:
            raise FormatError(
                f"{path} has {len(self.pages)} raw frames, fewer than the {grouping} that make a fraction; lower "
                "eer_grouping."
            )

    @property
    def shape(self) -> tuple[int, int, int]:
        """Fractions, height, width."""
        page = self.pages[0]
        return len(self.pages) // self._grouping, page.height * self._upsampling, page.width * self._upsampling

    def __iter__(self) -> Iterator[Array]:
        with Source(self._path) as source:
            for index in range(self.shape[0]):
                yield self._summed(source, index)

    def read(self, index: int) -> Array:
        """One fraction by itself, counted from 0; in any thread."""
        with Source(self._path) as source:
            return self._summed(source, index)

    def _summed(self, source: Source, index: int) -> Array:
        fraction = np.zeros(self.shape[1:], np.uint8 if self._grouping < 256 else np.uint16)
        for page in self.pages[index * self._grouping : (index + 1) * self._grouping]:
            _add(source, page, fraction, self._upsampling)
        return fraction


def eer_pages(source: Source) -> list[ifd.Page]:
    """The raw frames, without the sum that some cameras store in front of them.

    Raises
    ------
    FormatError
        If there are none, or they differ in size, or cannot hold what they declare.
    TruncatedFile
        If the file's end is missing.
    """
    pages = [page for page in ifd.read_pages(source) if page.compression in EER_COMPRESSIONS]
    if not pages:
        raise FormatError(f"{source.path} is not an EER but a TIFF without electron events.")
    if any((page.width, page.height) != (pages[0].width, pages[0].height) for page in pages):
        raise FormatError(f"{source.path} is damaged: its raw frames differ in size; copy it again.")
    if pages[0].width * pages[0].height > sum(pages[0].sizes) * _HIGHEST_RATIO:
        raise FormatError(f"{source.path} is damaged: its raw frames are too short for their size; copy it again.")
    return pages


def write_eer(path: str | Path, frames: Iterable[Array], pixel_size: float | None, upsampling: int = 1) -> None:
    """Write an EER frame by frame (7+4 bits), as a camera does: under its own name from the first byte on.

    Parameters
    ----------
    path
        Replaced if it is there.
    frames
        Raw frames (y, x): where it is not 0 an electron fell, one a pixel of the sensor at most. Taken when the one
        before is in the file.
    pixel_size
        Of the sensor, Å; ``None`` leaves it out.
    upsampling
        1 where the frames have the sensor's pixels, 2 or 4 where they have halves or quarters of them.

    Raises
    ------
    DataError
        If there are no frames, or one is not divisible into the sensor's pixels.
    """
    written = 0
    with PageWriter(path, big=True) as file:
        for frame in frames:
            if frame.ndim != 2 or frame.shape[0] % upsampling or frame.shape[1] % upsampling:
                raise DataError(f"A raw frame of an EER is (y, x) in multiples of {upsampling} px, not {frame.shape}.")
            height, width = frame.shape[0] // upsampling, frame.shape[1] // upsampling
            tags = page_tags((height, width), np.dtype(np.uint8), 65001, height, pixel_size)
            if not written:
                tags[_METADATA] = (7, _metadata(height, width))
            file.append(tags, [_encoded(frame, upsampling)])
            written += 1
    if not written:
        raise DataError(f"No frames were written to {path}; a movie has at least one.")


def _add(source: Source, page: ifd.Page, fraction: Array, upsampling: int) -> None:
    codes = b"".join(source.read(offset, size) for offset, size in zip(page.offsets, page.sizes, strict=True))
    if len(codes) % 2:
        codes += b"\0"
    try:
        imagecodecs.eer_decode(codes, fraction.shape, *_code_bits(page), superres=upsampling - 1, out=fraction)
    except (RuntimeError, ValueError, MemoryError) as error:
        raise FormatError(
            f"{source.path} is damaged: a raw frame cannot be decoded ({error}); copy it again."
        ) from None


def _code_bits(page: ifd.Page) -> tuple[int, int, int]:
    """Bits of the gap, and of the place in the pixel in x and in y."""
    if page.compression == 65002:
        return page.number(ifd.EER_GAP_BITS, 7), page.number(ifd.EER_X_BITS, 2), page.number(ifd.EER_Y_BITS, 2)
    return (8 if page.compression == 65000 else 7), 2, 2


def _encoded(frame: Array, upsampling: int) -> bytes:
    """7 bits of gap, 2 of the place in x, 2 of that in y, from the lowest bit on; 127 is a gap without an electron."""
    y, x = np.divmod(np.flatnonzero(frame), frame.shape[1])
    height, width = frame.shape[0] // upsampling, frame.shape[1] // upsampling
    pixels = (y // upsampling) * width + x // upsampling
    # Quarters of a pixel count from its middle, whence the flipped upper bit.
    quarter = 4 // upsampling
    place = ((x % upsampling * quarter) ^ 2) | (((y % upsampling * quarter) ^ 2) << 2)
    pixels, kept = np.unique(pixels, return_index=True)
    gaps = np.diff(pixels, prepend=-1, append=height * width) - 1
    skips = gaps // 127
    codes = np.full(skips.sum() + len(gaps), 127)
    ends = np.cumsum(skips + 1) - 1
    codes[ends] = gaps % 127
    codes[ends[:-1]] |= place[kept] << 7
    lengths = np.full(len(codes), 7)
    lengths[ends[:-1]] = 11
    starts = np.cumsum(lengths) - lengths
    # Codes share words of 16 bits but no bit, so that their sum is their union. Decoders look a whole code ahead.
    words, shifted = starts // 16, codes << starts % 16
    count = int(words[-1]) + 3
    low = np.bincount(words, shifted & 0xFFFF, count)
    return (low + np.bincount(words + 1, shifted >> 16, count)).astype("<u2").tobytes()


def _metadata(height: int, width: int) -> bytes:
    items = {"commercialName": "emlab", "sensorImageHeight": height, "sensorImageWidth": width}
    text = "".join(f'<item name="{name}">{value}</item>' for name, value in items.items())
    return f"<metadata>{text}</metadata>".encode()
