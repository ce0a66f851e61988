"""Pixels of a camera that are known to be bad."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emlab.errors import DataError, FormatError
from emlab.formats.image import read_image
from emlab.formats.kind import kind_of
from emlab.formats.source import Source

_LONGEST_TEXT = 1 << 20


def read_defects(path: str | Path, shape: tuple[int, int], upsampling: int = 1) -> NDArray[Any]:
    """Which pixels are bad: bool (y, x).

    Parameters
    ----------
    path
        A text with a rectangle ``x y width height`` a line, in px from the first element of the frames as they are
        read, which for a TIFF movie is the start of the file's last row, as in RELION and MotionCor; or an MRC or
        TIFF that is not 0 where a pixel is bad.
    shape
        Of the frames as they are read, (y, x).
    upsampling
        How many pixels of the frames one of the defects' stands for, each way.

    Raises
    ------
    FormatError
        If it is neither such a text nor such an image.
    DataError
        If it does not fit the frames.
    """
    height, width = shape[0] // upsampling, shape[1] // upsampling
    with Source(path) as source:
        try:
            kind_of(source)
        except FormatError:
            bad = _from_text(source, height, width)
        else:
            bad = read_image(path)[0] != 0
    if bad.shape != (height, width):
        raise DataError(
            f"The defect map {path} is {bad.shape[1]} × {bad.shape[0]} px, the frames are {width} × {height} px; give "
            "the defect map for these movies."
        )
    return bad.repeat(upsampling, axis=0).repeat(upsampling, axis=1)


def _from_text(source: Source, height: int, width: int) -> NDArray[Any]:
    if source.size > _LONGEST_TEXT:
        raise FormatError(f"{source.path} is too long for a list of defects, and is not an MRC or TIFF.")
    bad = np.zeros((height, width), bool)
    for number, line in enumerate(source.read(0, source.size).decode("latin-1").splitlines(), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        if len(words) != 4 or not all(word.isascii() and word.isdigit() for word in words):
            raise FormatError(
                f"{source.path} is not a list of defects: line {number} is {line[:60]!r}, but x y width height were "
                "expected."
            )
        x, y, across, down = (int(word) for word in words)
        if x + across > width or y + down > height:
            raise DataError(
                f"{source.path} has a defect beyond the frames ({width} × {height} px) in line {number}: give the "
                "defects for these movies."
            )
        bad[y : y + down, x : x + across] = True
    return bad
