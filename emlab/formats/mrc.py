"""MRC images and stacks (MRC2014, and what IMOD, EPU and RELION make of it)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sized
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from mrcfile.dtypes import HEADER_DTYPE
from mrcfile.utils import mode_from_dtype
from numpy.typing import NDArray

from emlab.errors import DataError, FormatError, TruncatedFile
from emlab.formats.atomic import whole_file
from emlab.formats.source import Source

Array = NDArray[Any]

_HEADER: Final = 1024
_PACKED: Final = 101
_TYPES: Final = {0: "i1", 1: "i2", 2: "f4", 6: "u2", 12: "f2", _PACKED: "u1"}
_IMOD_STAMP: Final = 1146047817
_IMOD_SIGNED: Final = 1
_IMOD_NIBBLES: Final = 16
_LONGEST_SIDE: Final = 1 << 17
_LAYOUTS: Final = [HEADER_DTYPE.newbyteorder(order) for order in "<>"]


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
        return (self.width + 1) // 2 if self.mode == _PACKED else self.width * self.dtype.itemsize

    @property
    def size(self) -> int:
        """Bytes that the header says the file has."""
        return self.offset + self.frames * self.height * self.row_bytes


class MrcFrames:
    """The sections of an MRC, read one at a time: axes (y, x), in the file's type."""

    def __init__(self, path: str | Path) -> None:
        self._path = path
        with Source(path) as source:
            self.header = read_mrc_header(source)
            check_size(source, self.header)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Frames, height, width."""
        return self.header.frames, self.header.height, self.header.width

    def __iter__(self) -> Iterator[Array]:
        with Source(self._path) as source:
            for index in range(self.header.frames):
                yield _section(source, self.header, index)


def read_mrc(path: str | Path) -> tuple[Array, float | None]:
    """All pixels, in the file's type and native byte order, and the pixel size, Å.

    Returns
    -------
    array
        Axes (y, x), or (frame, y, x) where there is more than one section.
    pixel_size
        ``None`` where the header does not tell.

    Raises
    ------
    FormatError
        If it is not an MRC, or of a mode that is no image.
    TruncatedFile
        If it is shorter than its header declares.
    """
    with Source(path) as source:
        header = read_mrc_header(source)
        check_size(source, header)
        if header.frames == 1:
            return _section(source, header, 0), header.pixel_size
        return np.stack([_section(source, header, index) for index in range(header.frames)]), header.pixel_size


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
        raise TruncatedFile(f"{source.path} begins with zeros; its header is not written yet: wait.")
    little, big = (np.frombuffer(data, layout)[0] for layout in _LAYOUTS)
    header = big if int(little["mode"]) not in _TYPES and int(big["mode"]) in _TYPES else little
    mode, frames, height, width = (int(header[name]) for name in ("mode", "nz", "ny", "nx"))
    extended = int(header["nsymbt"])
    if not (0 < width < _LONGEST_SIDE and 0 < height < _LONGEST_SIDE and frames > 0 and extended >= 0):
        raise FormatError(
            f"{source.path} is not an MRC: its header would mean {width} × {height} px, {frames} sections and "
            f"{extended} bytes of extended header; check where the file comes from, or copy it again."
        )
    if mode not in _TYPES:
        raise FormatError(
            f"{source.path} has MRC mode {mode}; emlab reads 0, 1, 2, 6, 12 and 101: convert it "
            f"(IMOD: newstack -mode 2)."
        )
    dtype = np.dtype(_TYPES[mode])
    if mode == 0:
        dtype = _bytes_type(source, data, header)
    return MrcHeader(
        mode=mode,
        dtype=dtype.newbyteorder(">" if header is big else "<"),
        frames=frames,
        height=height,
        width=width,
        offset=_HEADER + extended,
        pixel_size=_pixel_size(float(header["cella"]["x"]), int(header["mx"])),
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
            f"{source.path} has {source.size} bytes; its header declares {header.frames} sections of {header.width} × "
            f"{header.height} px, {header.size} bytes: it is still being written, or its copy broke off."
        )


def write_mrc(path: str | Path, array: Array, pixel_size: float | None) -> None:
    """Write an image (y, x) or a stack (frame, y, x), whole or not at all.

    Parameters
    ----------
    path
        Replaced if it is there.
    array
        float32, float16, int8, int16 or uint16; uint8 is stored as uint16, which every program reads alike.
    pixel_size
        Å; ``None`` writes 0, unknown.

    Raises
    ------
    DataError
        If the array has another type or shape.
    """
    stored = _storable(array)
    if stored.ndim not in (2, 3) or not stored.size:
        raise DataError(f"An MRC holds (y, x) or (frame, y, x), not an array of shape {array.shape}.")
    shape = (1, *stored.shape)[-3:]
    header = _new_header((shape[0], shape[1], shape[2]), stored.dtype, pixel_size)
    values = stored.astype(np.float32) if stored.dtype == np.float16 else stored
    with np.errstate(invalid="ignore"):
        header["dmin"], header["dmax"] = values.min(), values.max()
        header["dmean"] = values.mean(dtype=np.float64)
        header["rms"] = values.std(dtype=np.float64)
    with whole_file(path) as temporary, temporary.open("wb") as file:
        file.write(header.tobytes())
        np.ascontiguousarray(stored).tofile(file)


def write_mrc_movie(
    path: str | Path, frames: Iterable[Array], pixel_size: float | None, count: int | None = None
) -> None:
    """Write a movie frame by frame, as a microscope does: under its own name from the first byte on.

    Parameters
    ----------
    path
        Replaced if it is there.
    frames
        Each (y, x); taken when the one before is in the file.
    pixel_size
        Å.
    count
        How many frames there will be; ``len(frames)`` where that is known. The header declares them from the
        start, so that an unfinished file shows.

    Raises
    ------
    DataError
        If there are no frames, or not as many as were said.
    """
    expected = count if count is not None else len(frames) if isinstance(frames, Sized) else 0
    written = 0
    with Path(path).open("wb") as file:
        for frame in frames:
            stored = _storable(frame)
            if not written:
                header = _new_header((expected, *stored.shape), stored.dtype, pixel_size)
                file.write(header.tobytes())
            file.write(stored.tobytes())
            file.flush()
            written += 1
        if not written or expected not in (0, written):
            raise DataError(f"{path} got {written} frames; {expected or 'at least one'} were expected.")
        if not expected:
            header["nz"] = header["mz"] = written
            header["cella"]["z"] = (pixel_size or 0.0) * written
            file.seek(0)
            file.write(header.tobytes())


def _new_header(shape: tuple[int, ...], dtype: np.dtype[Any], pixel_size: float | None) -> Any:
    header = np.zeros((), _LAYOUTS[0])
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


def _storable(array: Array) -> Array:
    dtype = np.dtype(np.uint16) if array.dtype == np.uint8 else array.dtype.newbyteorder("<")
    if dtype.newbyteorder("=") not in (np.float32, np.float16, np.int8, np.int16, np.uint16):
        raise DataError(f"An MRC cannot hold {array.dtype}; convert to float32 or a 16-bit integer type.")
    return array.astype(dtype, copy=False)


def _bytes_type(source: Source, data: bytes, header: Any) -> np.dtype[Any]:
    """Mode 0 is signed by MRC2014; IMOD and SerialEM say which in a flag of theirs."""
    stamp, flags = (int(value) for value in np.frombuffer(data, header["mode"].dtype, 2, 152))
    if stamp == _IMOD_STAMP and flags & _IMOD_NIBBLES:
        raise FormatError(
            f"{source.path} packs two 4-bit counts into each byte of mode 0; save it as mode 101, 6 or TIFF instead."
        )
    if stamp == _IMOD_STAMP:
        return np.dtype("i1" if flags & _IMOD_SIGNED else "u1")
    return np.dtype("u1" if float(header["dmin"]) >= 0 and float(header["dmax"]) > 127 else "i1")


def _pixel_size(cell: float, samples: int) -> float | None:
    size = cell / samples if samples > 0 else math.nan
    return size if 0.01 < size < 1e4 else None


def _section(source: Source, header: MrcHeader, index: int) -> Array:
    offset = header.offset + index * header.height * header.row_bytes
    if header.mode == _PACKED:
        packed = np.empty((header.height, header.row_bytes), np.uint8)
        source.read_into(offset, packed)
        return np.stack((packed & 15, packed >> 4), axis=-1).reshape(header.height, -1)[:, : header.width]
    section = np.empty((header.height, header.width), header.dtype)
    source.read_into(offset, section)
    return section.astype(header.dtype.newbyteorder("="), copy=False)
