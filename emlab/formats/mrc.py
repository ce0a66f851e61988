"""MRC images and stacks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sized
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emlab.errors import DataError
from emlab.formats.atomic import whole_file
from emlab.formats.mrc_header import PACKED, MrcHeader, check_size, new_mrc_header, read_mrc_header
from emlab.formats.source import Source

Array = NDArray[Any]


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

    def read(self, index: int) -> Array:
        """One section by itself, counted from 0; in any thread."""
        with Source(self._path) as source:
            return _section(source, self.header, index)


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
    header = new_mrc_header((1, *stored.shape)[-3:], stored.dtype, pixel_size)
    header["dmin"], header["dmax"] = stored.min(), stored.max()
    header["dmean"], header["rms"] = _mean_and_deviation(stored.reshape(-1, stored.shape[-1]))
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
                header = new_mrc_header((expected, *stored.shape), stored.dtype, pixel_size)
                file.write(header.tobytes())
            file.write(stored.tobytes())
            file.flush()
            written += 1
        if not written or expected not in (0, written):
            raise DataError(f"{written} frames were written to {path}; expected {expected or 'at least one'}.")
        if not expected:
            header["nz"] = header["mz"] = written
            header["cella"]["z"] = (pixel_size or 0.0) * written
            file.seek(0)
            file.write(header.tobytes())


def _storable(array: Array) -> Array:
    dtype = np.dtype(np.uint16) if array.dtype == np.uint8 else array.dtype.newbyteorder("<")
    if dtype.newbyteorder("=") not in (np.float32, np.float16, np.int8, np.int16, np.uint16):
        raise DataError(f"An MRC cannot hold {array.dtype}; convert to float32 or a 16-bit integer type.")
    return array.astype(dtype, copy=False)


def _mean_and_deviation(rows: Array) -> tuple[float, float]:
    """In double precision, a few rows at a time: an image of 64 million pixels is not copied for its header."""
    mean = float(rows.mean(dtype=np.float64))
    blocks = (rows[start : start + 32] for start in range(0, len(rows), 32))
    with np.errstate(invalid="ignore"):
        deviations = (np.subtract(block, mean, dtype=np.float64).ravel() for block in blocks)
        return mean, math.sqrt(sum(float(values @ values) for values in deviations) / rows.size)


def _section(source: Source, header: MrcHeader, index: int) -> Array:
    offset = header.offset + index * header.height * header.row_bytes
    if header.mode == PACKED:
        packed = np.empty((header.height, header.row_bytes), np.uint8)
        source.read_into(offset, packed)
        return np.stack((packed & 15, packed >> 4), axis=-1).reshape(header.height, -1)[:, : header.width]
    section = np.empty((header.height, header.width), header.dtype)
    source.read_into(offset, section)
    return section.astype(header.dtype.newbyteorder("="), copy=False)
