"""A picture in which a spectrum and its model can be compared at a glance."""

from __future__ import annotations

import math
from functools import lru_cache
from types import ModuleType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from emlab.arrays.ctf.background import Flattened
from emlab.arrays.ctf.fit import Fit
from emlab.arrays.ctf.model import Lens, mean_frequency, wave
from emlab.arrays.ctf.polar import RAYS, polar_sums
from emlab.arrays.cuda import Cuda
from emlab.arrays.kernel import kernel
from emlab.arrays.module import array_module

Array = NDArray[Any]

_CUDA: Final = Cuda(__file__)
_SIZE: Final = 512
"""px each way."""
_ARC: Final = 1.5
"""px, half the width of the arc."""
_BLUR: Final = 0.6, 5.0
"""Rings and rays: across the rings hardly, along lines of equal phase so far that faint ones come out of the noise."""
_NOISE: Final = 3.0
"""Standard deviations of the blurred noise: rings of that height are shown at 70 % of full contrast."""
_SURROUND: Final = 28
"""Grey outside the range that was fitted."""
_MARK: Final = 255, 176, 0
"""Amber, which is told from every grey."""


def diagnostic_picture(data: Flattened, lens: Lens, fit: Fit, resolution: float) -> Array:
    """Left half the spectrum, right half the fitted rings: uint8 (512, 512, 3), an arc at the fit resolution.

    Both are shown relative to the background and to the height of the rings, so that faint outer rings are seen as
    well as strong inner ones, and both fade to grey where the rings drown in noise: equal brightness means the same
    on both sides. The edge of the disc is the highest frequency of the fit.
    """
    rings, xp = data.rings, array_module(data.excess)
    lowest, edge = float(rings.frequency[0]), float(rings.frequency[-1])
    averaged = 2.0 * math.sqrt(math.pi) * _BLUR[1] * rings.counts / RAYS
    height = np.hypot(fit.amplitude, _NOISE * data.deviation(fit.background) / np.sqrt(averaged))
    scale = np.pad([np.ones_like(height), 1.0 / height], ((0, 0), (1, 1)), mode="edge")[:, :, None]
    along, across = _blurs(rings.counts.size + 2, xp)
    counts, sums = along @ (polar_sums(data, lens, fit)[:2] * xp.asarray(scale)) @ across
    frequency, angle, left, right = _canvas(edge, xp)
    squares, cosines, sines = left
    phase = mean_frequency(lens, squares, cosines, sines, fit.defocus)
    squares, cosines, sines = right
    model = wave(lens, squares, cosines, sines, fit.defocus)
    picture: Array = xp.full((_SIZE, _SIZE, 3), _SURROUND, np.uint8)
    seen, tall, arc = sums / np.maximum(counts, 1e-3), xp.asarray(fit.amplitude / height), _ARC * edge / _SIZE
    given: list[Any] = [frequency, angle, phase, model, seen, tall, _SIZE, *seen.shape, lowest, edge, rings.step]
    given += [1.0 / resolution, arc, *_MARK, picture]
    if xp is np:
        _draw(*given)
    else:
        _CUDA("draw", (_SIZE, _SIZE), *given)
    return picture


@lru_cache(maxsize=2)
def _canvas(edge: float, xp: ModuleType) -> tuple[Array, Array, Array, Array]:
    """Of each px the frequency, of the left half the angle, and of each half what the phase is made of, (3, y, x).

    They are the same for a session's pictures. A power spectrum is the same on the other side of its centre, so an
    angle of half the plane tells all.
    """
    x = (np.arange(_SIZE, dtype=np.float32) - (_SIZE - 1) / 2) * np.float32(2.0 * edge / _SIZE)
    y = x[:, None]
    frequency, angle = np.hypot(y, x), np.arctan(y / x)
    made = np.stack([frequency**2, np.cos(2.0 * angle), np.sin(2.0 * angle)])
    parts = frequency, angle[:, : _SIZE // 2], made[:, :, : _SIZE // 2], made[:, :, _SIZE // 2 :]
    frequency, angle, left, right = (xp.asarray(np.ascontiguousarray(part)) for part in parts)
    return frequency, angle, left, right


@lru_cache(maxsize=2)
def _blurs(number: int, xp: ModuleType) -> tuple[Array, Array]:
    """Matrices that blur over ``number`` rows, from the left, and over the rays, from the right."""
    along = gaussian_filter1d(np.eye(number), _BLUR[0], axis=0, mode="nearest")
    across = gaussian_filter1d(np.eye(RAYS), _BLUR[1], axis=1, mode="wrap")
    return xp.asarray(along), xp.asarray(across)


@kernel
def _draw(
    frequency: Array,
    angle: Array,
    phase: Array,
    wave: Array,
    means: Array,
    height: Array,
    size: int,
    rows: int,
    rays: int,
    lowest: float,
    edge: float,
    step: float,
    arc: float,
    width: float,
    red: int,
    green: int,
    blue: int,
    picture: Array,
) -> None:
    """To the left what the means, (row, ray), are at each px's phase, to the right waves of a height, and the arc."""
    half = size // 2
    for y in range(size):
        for x in range(size):
            here = frequency[y, x]
            if abs(here - arc) < width:
                picture[y, x, 0], picture[y, x, 1], picture[y, x, 2] = red, green, blue
            elif lowest <= here <= edge:
                if x < half:
                    row = min(max((phase[y, x] - lowest) / step + 1.0, 0.0), rows - 1.0)
                    ray = (angle[y, x] / np.pi + 0.5) * rays + rays - 0.5
                    top, left = min(int(row), rows - 2), int(ray)
                    down, right, first, second = row - top, ray - left, left % rays, (left + 1) % rays
                    upper = means[top, first] + right * (means[top, second] - means[top, first])
                    lower = means[top + 1, first] + right * (means[top + 1, second] - means[top + 1, first])
                    shown = upper + down * (lower - upper)
                else:
                    place = (here - lowest) / step
                    ring = min(int(place), height.size - 2)
                    shown = wave[y, x - half] * (height[ring] + (place - ring) * (height[ring + 1] - height[ring]))
                picture[y, x] = np.uint8(min(max(128.0 + 110.0 * shown, 0.0), 255.0))
