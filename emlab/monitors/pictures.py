"""Small copies of a session's pictures."""

from __future__ import annotations

from pathlib import Path

import imagecodecs
import numpy as np

from emlab.formats.jpeg import encode_jpeg


def reduced(path: Path, width: int, quality: int = 75) -> bytes | None:
    """Give a picture, reduced by whole factors to ``width`` px or a little more, as a JPEG.

    ``None`` where the file is not there (any more) or is none.
    """
    try:
        data = path.read_bytes()
        picture = np.asarray(imagecodecs.jpeg8_decode(data))
    except (OSError, imagecodecs.Jpeg8Error):
        return None
    factor = max(round(picture.shape[1] / width), 1)
    height, breadth = (length // factor * factor for length in picture.shape[:2])
    blocks = picture[:height, :breadth].reshape(height // factor, factor, breadth // factor, factor, -1)
    return encode_jpeg(blocks.mean(axis=(1, 3), dtype=np.float32).astype(np.uint8).squeeze(), quality)
