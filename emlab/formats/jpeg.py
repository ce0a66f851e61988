"""JPEG pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from emlab.errors import DataError, FormatError
from emlab.formats.atomic import whole_file


def encode_jpeg(picture: NDArray[Any], quality: int = 85) -> bytes:
    """A JPEG of uint8 (y, x) or (y, x, rgb).

    Raises
    ------
    DataError
        If the picture has another type or shape.
    """
    if picture.dtype != np.uint8 or not (picture.ndim == 2 or (picture.ndim == 3 and picture.shape[2] == 3)):
        raise DataError(f"A picture is uint8 (y, x) or (y, x, 3), not {picture.dtype} {picture.shape}.")
    return bytes(imagecodecs.jpeg8_encode(np.ascontiguousarray(picture), level=quality))


def write_jpeg(path: str | Path, picture: NDArray[Any], quality: int = 85) -> None:
    """Write a picture, whole or not at all.

    Raises
    ------
    DataError
        If the picture is not uint8 (y, x) or (y, x, rgb).
    """
    data = encode_jpeg(picture, quality)
    with whole_file(path) as temporary:
        temporary.write_bytes(data)


def read_jpeg(path: str | Path) -> NDArray[np.uint8]:
    """A picture: uint8 (y, x) or (y, x, rgb).

    Raises
    ------
    FormatError
        If it is not a JPEG.
    """
    try:
        return np.asarray(imagecodecs.jpeg8_decode(Path(path).read_bytes()), np.uint8)
    except imagecodecs.Jpeg8Error as error:
        raise FormatError(f"{path} cannot be read as a JPEG: {error}.") from error
