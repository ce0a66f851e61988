"""Small copies of the session's pictures, so that many fit into one file."""

from __future__ import annotations

import base64
from pathlib import Path

import imagecodecs
import numpy as np
from scipy.ndimage import gaussian_filter

LARGE, SMALL = 512, 256
"""Pixels, at least, unless the picture itself is smaller."""
FEW = 80
"""Micrographs whose pictures can be large: one weighs 40 kB then, else 12."""

_LEVEL = 45
_GRAIN = 0.8
"""Pixels; grain finer than this shows nothing and is half the weight of a picture."""


def small_copy(path: Path, width: int) -> str | None:
    """Give a picture reduced by a whole factor, as a WebP in a data URL; ``None`` where there is none (any more)."""
    try:
        picture = np.asarray(imagecodecs.jpeg8_decode(path.read_bytes()), np.float32)
    except (OSError, imagecodecs.Jpeg8Error):
        return None
    factor = max(picture.shape[1] // width, 1)
    rows, columns = (length // factor * factor for length in picture.shape[:2])
    blocks = picture[:rows, :columns].reshape(rows // factor, factor, columns // factor, factor, -1)
    smooth = gaussian_filter(blocks.mean(axis=(1, 3)), (_GRAIN, _GRAIN, 0))
    coloured = np.ascontiguousarray(np.broadcast_to(smooth, (*smooth.shape[:2], 3)).astype(np.uint8))
    encoded = imagecodecs.webp_encode(coloured, level=_LEVEL, lossless=False, method=2)
    return f"data:image/webp;base64,{base64.b64encode(encoded).decode()}"
