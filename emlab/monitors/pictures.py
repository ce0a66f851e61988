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
    sums = np.zeros((height // factor, breadth // factor, *picture.shape[2:]), np.uint32)
    for y in range(factor):
        for x in range(factor):
            sums += picture[y:height:factor, x:breadth:factor]
    return encode_jpeg((sums // (factor * factor)).astype(np.uint8), quality)
