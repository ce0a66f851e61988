"""Cubic B-splines: atoms onto a grid, and an image at displaced positions.

Both belong together with a division in Fourier space: by `smoothing`, which takes the atoms' spline away again,
and by `response`, which makes an image's spline coefficients of its pixels.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def response(shape: tuple[int, int]) -> Array:
    """Fourier transform of a cubic B-spline sampled at the pixels: float32 (y, x // 2 + 1)."""
    rows, columns = np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None, :]
    product = (2.0 + np.cos(2 * np.pi * rows)) * (2.0 + np.cos(2 * np.pi * columns)) / 9.0
    return product.astype(np.float32)  # type: ignore[no-any-return]


def smoothing(shape: tuple[int, int]) -> Array:
    """Fourier transform of a continuous cubic B-spline of one-pixel knots: float32 (y, x // 2 + 1)."""
    rows, columns = np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None, :]
    return ((np.sinc(rows) * np.sinc(columns)) ** 4).astype(np.float32)  # type: ignore[no-any-return]


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def _weights(t: np.float32) -> tuple[np.float32, np.float32, np.float32, np.float32]:
    """Of the four knots around a place ``t`` (0 to 1) behind the second of them."""
    sixth, half, one = np.float32(1 / 6), np.float32(0.5), np.float32(1.0)
    s = one - t
    first, last = sixth * s * s * s, sixth * t * t * t
    second = np.float32(2 / 3) - half * t * t * (one + s)
    return first, second, one - first - second - last, last


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def deposit(image: Array, y: Array, x: Array, weights: Array) -> None:
    """Add points to an image (y, x), each spread over 4 × 4 px; what falls outside is lost.

    Parameters
    ----------
    y, x
        Positions, px, (point,).
    weights
        What each adds, (point,).
    """
    height, width = image.shape
    for point in range(len(y)):
        row, column = int(np.floor(y[point])) - 1, int(np.floor(x[point])) - 1
        if row < 0 or column < 0 or row + 4 > height or column + 4 > width:
            continue
        down = _weights(np.float32(y[point] - row - 1))
        across = _weights(np.float32(x[point] - column - 1))
        for i in range(4):
            for j in range(4):
                image[row + i, column + j] += weights[point] * down[i] * across[j]


@numba.njit(cache=True, fastmath=True)  # type: ignore[untyped-decorator]
def displaced(coefficients: Array, shift: Array, spacing: int, margin: tuple[int, int], size: tuple[int, int]) -> Array:
    """The image (y, x) whose pixel p shows the place p + ``margin`` − shift(p) of a spline: float32.

    Parameters
    ----------
    coefficients
        Of the spline, (y, x); each place shown has to lie 2 px inside.
    shift
        px, (yx, grid y, grid x): at every ``spacing``-th pixel from the first, and interpolated between.
    margin, size
        (y, x) px.
    """
    height, width = size
    out = np.empty((height, width), np.float32)
    scale = np.float32(1.0 / spacing)
    for y in range(height):
        gy = y // spacing
        fy = np.float32(y - gy * spacing) * scale
        for gx in range((width + spacing - 1) // spacing):
            left_y = shift[0, gy, gx] * (1 - fy) + shift[0, gy + 1, gx] * fy
            left_x = shift[1, gy, gx] * (1 - fy) + shift[1, gy + 1, gx] * fy
            slope_y = (shift[0, gy, gx + 1] * (1 - fy) + shift[0, gy + 1, gx + 1] * fy - left_y) * scale
            slope_x = (shift[1, gy, gx + 1] * (1 - fy) + shift[1, gy + 1, gx + 1] * fy - left_x) * scale
            for x in range(gx * spacing, min(width, (gx + 1) * spacing)):
                along = np.float32(x - gx * spacing)
                at_y = np.float32(y + margin[0]) - left_y - slope_y * along
                at_x = np.float32(x + margin[1]) - left_x - slope_x * along
                row, column = int(at_y), int(at_x)
                ty, tx = at_y - np.float32(row), at_x - np.float32(column)
                down, across = _weights(ty), _weights(tx)
                total = np.float32(0.0)
                for i in range(4):
                    knots = coefficients[row - 1 + i]
                    total += down[i] * (
                        across[0] * knots[column - 1]
                        + across[1] * knots[column]
                        + across[2] * knots[column + 1]
                        + across[3] * knots[column + 2]
                    )
                out[y, x] = total
    return out
