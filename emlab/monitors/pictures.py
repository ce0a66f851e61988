"""Small copies of a session's pictures."""

from __future__ import annotations

from pathlib import Path

import imagecodecs
import numpy as np

from emlab.formats.jpeg import encode_jpeg

GOOD = 75
"""Quality from which on a picture of the size wanted is given as it is."""


def reduced(path: Path, width: int, quality: int = GOOD) -> bytes | None:
    """Give a picture, reduced by whole factors to ``width`` px or a little more, as a JPEG.

    ``None`` where the file is not there (any more) or is none.
    """
    try:
        data = path.read_bytes()
        picture = np.asarray(imagecodecs.jpeg8_decode(data))
    except (OSError, imagecodecs.Jpeg8Error):
        return None
    factor = max(round(picture.shape[1] / width), 1)
    if factor == 1 and quality >= GOOD:
        return data
    height, breadth = (length // factor * factor for length in picture.shape[:2])
    # Colours as planes, and rows first: sums run along what lies together.
    planes = np.ascontiguousarray(np.moveaxis(picture, 2, 0)) if picture.ndim == 3 else picture
    rows = planes[..., :height:factor, :].astype(np.uint32)
    for y in range(1, factor):
        rows += planes[..., y:height:factor, :]
    sums = rows[..., :breadth:factor].copy()
    for x in range(1, factor):
        sums += rows[..., x:breadth:factor]
    small = (sums // (factor * factor)).astype(np.uint8)
    return encode_jpeg(np.moveaxis(small, 0, 2) if picture.ndim == 3 else small, quality)
