"""What the first 1024 bytes of an MRC say (MRC2014, and what IMOD, EPU and RELION make of it)."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from mrcfile.dtypes import HEADER_DTYPE
from mrcfile.utils import mode_from_dtype

from emlab.errors import FormatError, TruncatedFile
from emlab.formats.source import Source

PACKED: Final = 101
"""The mode of two 4-bit counts a byte."""

_HEADER: Final = 1024
_TYPES: Final = {0: "i1", 1: "i2", 2: "f4", 6: "u2", 12: "f2", PACKED: "u1"}
_IMOD_STAMP: Final = 1146047817
_IMOD_SIGNED: Final = 1
_IMOD_NIBBLES: Final = 16
_LONGEST_SIDE: Final = 1 << 17
_LAYOUTS: Final = {order: struct.Struct(f"{order}4i12xi8xf32x2f8xi") for order in "<>"}
"""Columns, rows, sections, mode; samples and length of the cell in x; minimum, maximum; bytes of extended header."""
_IMOD: Final = {order: struct.Struct(f"{order}2i") for order in "<>"}


@dataclass(frozen=True, kw_only=True)
class MrcHeader:
    """Where an MRC's pixels are and what they are.

    Attributes
    ----------
    mode
        0, 1, 2, 6, 12 or 101 (two 4-bit counts a byte).
    dtype
        Of the stored pixels, with their byte order.
    frames, height, width
        Sections, rows, columns.
    offset
        Byte of the first pixel.
    pixel_size
        Å; ``None`` where the header says 0, nan or nonsense.
    """

    mode: int
    dtype: np.dtype[Any]
    frames: int
    height: int
    width: int
    offset: int
    pixel_size: float | None

    @property
    def row_bytes(self) -> int:
        """Bytes that a stored row takes."""
        return (self.width + 1) // 2 if self.mode == PACKED else self.width * self.dtype.itemsize

    @property
    def size(self) -> int:
        """Bytes that the header says the file has."""
        return self.offset + self.frames * self.height * self.row_bytes


def read_mrc_header(source: Source) -> MrcHeader:
    """What the first 1024 bytes declare.

    Raises
    ------
    FormatError
        If they are not those of an MRC.
    TruncatedFile
        If there are fewer, or the file's space was only reserved so far.
    """
    data = source.read(0, _HEADER)
    if not data.strip(b"\0"):
        raise TruncatedFile(f"{source.path} begins with zeros; its header is not written yet. Wait.")
    order: Literal["<", ">"] = "<" if _is_plausible(data, "<") or not _is_plausible(data, ">") else ">"
    width, height, frames, mode, samples, cell, lowest, highest, extended = _LAYOUTS[order].unpack_from(data)
    if not _has_size(width, height, frames) or extended < 0:
        raise FormatError(
            f"{source.path} is not an MRC: its header would mean {width} × {height} px, {frames} sections and "
            f"{extended} bytes of extended header; check the origin of the file, or copy it again."
        )
    if mode not in _TYPES:
        raise FormatError(
            f"{source.path} has MRC mode {mode}; emlab reads 0, 1, 2, 6, 12 and 101: convert it "
            f"(IMOD: newstack -mode 2)."
        )
    dtype = np.dtype(_TYPES[mode])
    if mode == 0:
        dtype = _bytes_type(source, _IMOD[order].unpack_from(data, 152), lowest, highest)
    return MrcHeader(
        mode=mode,
        dtype=dtype.newbyteorder(order),
        frames=frames,
        height=height,
        width=width,
        offset=_HEADER + extended,
        pixel_size=_to_pixel_size(cell, samples),
    )


def check_size(source: Source, header: MrcHeader) -> None:
    """See that all that the header declares is there.

    Raises
    ------
    TruncatedFile
        If it is not.
    """
    if source.size < header.size:
        raise TruncatedFile(
            f"{source.path} has {source.size} bytes, but its header declares {header.frames} sections of "
            f"{header.width} × {header.height} px, {header.size} bytes: it is still being written, or copying was "
            "interrupted."
        )


def new_mrc_header(shape: tuple[int, ...], dtype: np.dtype[Any], pixel_size: float | None) -> Any:
    """The header of a stack (frame, y, x), its statistics unknown: a record of mrcfile's ``HEADER_DTYPE``."""
    header = np.zeros((), HEADER_DTYPE.newbyteorder("<"))
    frames, height, width = shape
    size = pixel_size or 0.0
    header["nx"], header["ny"], header["nz"] = width, height, frames
    header["mx"], header["my"], header["mz"] = width, height, frames
    header["mode"] = mode_from_dtype(dtype)
    header["cella"] = (size * width, size * height, size * frames)
    header["cellb"] = (90.0, 90.0, 90.0)
    header["mapc"], header["mapr"], header["maps"] = 1, 2, 3
    # The standard's way to say that statistics are unknown.
    header["dmin"], header["dmax"], header["dmean"], header["rms"] = 0.0, -1.0, -2.0, -1.0
    header["map"] = b"MAP "
    header["nversion"] = 20140
    header["machst"] = (0x44, 0x44, 0, 0)
    header["nlabl"] = 1
    header["label"][0] = b"emlab"
    return header


def _has_size(width: int, height: int, frames: int) -> bool:
    return 0 < width < _LONGEST_SIDE and 0 < height < _LONGEST_SIDE and frames > 0


def _is_plausible(data: bytes, order: str) -> bool:
    width, height, frames, mode, *_ = _LAYOUTS[order].unpack_from(data)
    return _has_size(width, height, frames) and mode in _TYPES


def _bytes_type(source: Source, imod: tuple[int, int], lowest: float, highest: float) -> np.dtype[Any]:
    """Mode 0 is signed by MRC2014; IMOD and SerialEM say which in a flag, and older writers by the maximum."""
    stamp, flags = imod
    if stamp == _IMOD_STAMP and flags & _IMOD_NIBBLES:
        raise FormatError(
            f"{source.path} packs two 4-bit counts into each byte of mode 0; save it as mode 101, 6 or TIFF instead."
        )
    if stamp == _IMOD_STAMP:
        return np.dtype("i1" if flags & _IMOD_SIGNED else "u1")
    return np.dtype("u1" if lowest >= 0 and highest > 127 else "i1")


def _to_pixel_size(cell: float, samples: int) -> float | None:
    size = cell / samples if samples > 0 else math.nan
    return size if 0.01 < size < 1e4 else None
