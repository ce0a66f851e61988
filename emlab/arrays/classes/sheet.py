"""Class averages side by side, for people."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

COLUMNS = 10
"""Averages in a row."""
_DARKEST = -0.35
"""Grey value 0, in units of the brightest pixel of an average."""


def contact_sheet(averages: Array) -> Array:
    """Averages (class, y, x) row by row, each in greys of its own, the rest of the last row black: uint8 (y, x)."""
    classes, height, width = averages.shape
    columns = min(COLUMNS, classes)
    rows = math.ceil(classes / columns)
    brightest = np.maximum(averages.max(axis=(1, 2), keepdims=True), 1e-20)
    grey = np.clip((averages / brightest - _DARKEST) / (1.0 - _DARKEST), 0.0, 1.0) * 255.0
    sheet = np.zeros((rows * columns, height, width), np.uint8)
    sheet[:classes] = grey.astype(np.uint8)
    return sheet.reshape(rows, columns, height, width).swapaxes(1, 2).reshape(rows * height, columns * width)
