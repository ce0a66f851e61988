"""A part of a micrograph as a picture, at the size and the sharpness that a person asks for."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from emlab.formats.image import read_image
from emlab.formats.jpeg import encode_jpeg

_HALF: Final = math.sqrt(math.log(2) / 2) / math.pi
"""Width of a Gaussian, in units of the wavelength that it leaves half the amplitude."""
_CLIPPED: Final = 0.3, 99.7
"""Percentiles that become black and white."""


class Magnifier:
    """Cuts pictures out of micrographs; the last image is kept in memory, since people look at one for a while."""

    def __init__(self) -> None:
        self._path: Path | None = None
        self._image: NDArray[Any] = np.empty((0, 0), np.float32)

    def picture(
        self, path: Path, region: tuple[float, float, float, float], width: int, low_pass: float, pixel_size: float
    ) -> bytes:
        """Give a part of an image as a JPEG, in grey.

        Parameters
        ----------
        region
            Left, top, right and bottom edge, px of the image; what lies outside is left out.
        width
            px that the picture is at least wide, where the image has as many.
        low_pass
            Å: detail of this size keeps half its contrast, and finer one less. 0 leaves all.
        pixel_size
            Å.

        Raises
        ------
        FormatError
            If the image is not there, or cannot be read.
        """
        if path != self._path:
            self._image, _ = read_image(path)
            self._path = path
        left, top, right, bottom = clipped(region, self._image.shape)
        part = self._image[top:bottom, left:right]
        factor = max((right - left) // max(width, 1), 1)
        height, breadth = part.shape[0] // factor, part.shape[1] // factor
        part = part[: height * factor, : breadth * factor]
        binned = part.reshape(height, factor, breadth, factor).mean(axis=(1, 3), dtype=np.float32)
        if low_pass > 0:
            from scipy.ndimage import gaussian_filter

            binned = gaussian_filter(binned, _HALF * low_pass / (pixel_size * factor))
        dark, bright = np.nanpercentile(binned, _CLIPPED)
        grey = (binned - dark) * (255.0 / max(bright - dark, 1e-12))
        return encode_jpeg(np.nan_to_num(np.clip(grey, 0, 255)).astype(np.uint8), 80)


def clipped(region: tuple[float, float, float, float], shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Give a region in whole px, inside an image of this shape (y, x), and at least 8 px each way."""
    height, width = shape
    left, top = (
        max(0, min(math.floor(edge), size - 8)) for edge, size in zip(region[:2], (width, height), strict=True)
    )
    right, bottom = math.ceil(region[2]), math.ceil(region[3])
    return left, top, max(min(right, width), left + 8), max(min(bottom, height), top + 8)
