"""Small copies of the session's pictures, so that many fit into one file."""

from __future__ import annotations

import base64
from pathlib import Path

import imagecodecs
import numpy as np

WIDTH = 160
"""Pixels, at least, unless the picture itself is smaller."""


def small_copy(path: Path) -> str | None:
    """Give a picture reduced by a whole factor, as a JPEG in a data URL; ``None`` where there is none (any more)."""
    try:
        picture = np.asarray(imagecodecs.jpeg8_decode(path.read_bytes()))
    except (OSError, imagecodecs.Jpeg8Error):
        return None
    factor = max(picture.shape[1] // WIDTH, 1)
    height, width = (length // factor * factor for length in picture.shape[:2])
    blocks = picture[:height, :width].reshape(height // factor, factor, width // factor, factor, -1)
    reduced = np.ascontiguousarray(blocks.mean(axis=(1, 3), dtype=np.float32).astype(np.uint8).squeeze())
    return f"data:image/jpeg;base64,{base64.b64encode(imagecodecs.jpeg8_encode(reduced, 72)).decode()}"
