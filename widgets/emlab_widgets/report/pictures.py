"""Small copies of the session's pictures, so that many fit into one file."""

from __future__ import annotations

import base64
import math
from pathlib import Path

import imagecodecs
import numpy as np
from numpy.typing import NDArray

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
    parts = [picture[y:rows:factor, x:columns:factor] for y in range(factor) for x in range(factor)]
    smooth = _smooth(np.mean(parts, axis=0)).astype(np.uint8)
    coloured = smooth if smooth.ndim == 3 else np.repeat(smooth[..., None], 3, axis=2)
    encoded = imagecodecs.webp_encode(coloured, level=_LEVEL, lossless=False, method=1)
    return f"data:image/webp;base64,{base64.b64encode(encoded).decode()}"


def _smooth(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """Take the grain off a picture, shape (y, x, …), by a Gaussian; SciPy's would be a second of import."""
    reach = math.ceil(4 * _GRAIN)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / _GRAIN) ** 2)
    weights = (weights / weights.sum()).astype(np.float32)
    for axis in (0, 1):
        margin = [(reach, reach) if axis == at else (0, 0) for at in range(picture.ndim)]
        shifted = np.moveaxis(np.pad(picture, margin, mode="symmetric"), axis, 0)
        length = picture.shape[axis]
        mixed = sum(weight * shifted[start : start + length] for start, weight in enumerate(weights))
        picture = np.moveaxis(np.asarray(mixed), 0, axis)
    return picture
