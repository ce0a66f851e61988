"""Single images of any format that emlab reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emlab.errors import FormatError
from emlab.formats.movie import inspect, open_movie


def read_image(path: str | Path) -> tuple[NDArray[Any], float | None]:
    """An image, float32 (y, x), and its pixel size, Å (``None`` where the file does not tell).

    Parameters
    ----------
    path
        An MRC or TIFF of one image.

    Raises
    ------
    FormatError
        If it is neither, is damaged, or has several frames.
    TruncatedFile
        If its end is missing.
    """
    facts = inspect(path)
    if facts.frames != 1 or facts.format == "eer":
        raise FormatError(f"{path} is a movie of {facts.frames} frames, but a single image was expected.")
    (image,) = open_movie(path)
    return image.astype(np.float32, copy=False), facts.pixel_size
