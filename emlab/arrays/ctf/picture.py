"""A picture in which a spectrum and its model can be compared at a glance."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates

from emlab.arrays.ctf.background import Flattened
from emlab.arrays.ctf.fit import Fit
from emlab.arrays.ctf.model import Lens, phase_delay
from emlab.arrays.ctf.rings import Rings

Array = NDArray[Any]

_SIZE: Final = 512
"""px each way."""
_RAYS: Final = 120
"""Directions in the half plane."""
_BLUR: Final = 0.6, 2.5
"""Rings and rays: across the rings hardly, along them so far that faint ones come out of the noise."""
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
    rings = data.rings
    edge = float(rings.frequency[-1])
    scale = 2.0 * edge / _SIZE
    x = (np.arange(_SIZE, dtype=np.float32) - (_SIZE - 1) / 2) * np.float32(scale)
    y = x[:, None]
    # A power spectrum is the same on the other side of its centre, so an angle of half the plane tells all.
    frequency, angle = np.hypot(y, x), np.arctan(y / x)
    left, right = np.s_[:, : _SIZE // 2], np.s_[:, _SIZE // 2 :]
    seen = data.excess - rings.spread(fit.background)
    averaged = 2.0 * math.sqrt(math.pi) * _BLUR[1] * rings.counts / _RAYS
    height = np.hypot(fit.amplitude, _NOISE * seen.std() / np.sqrt(averaged))

    shown = np.empty((_SIZE, _SIZE), np.float32)
    shown[left] = _blurred(seen / rings.spread(height), rings, frequency[left], angle[left])
    squares, doubled = frequency[right] ** 2, 2.0 * angle[right]
    wave = -np.cos(2.0 * phase_delay(lens, squares, np.cos(doubled), np.sin(doubled), fit.defocus))
    shown[right] = wave * np.interp(frequency[right], rings.frequency, fit.amplitude / height)

    grey = np.clip(128.0 + 110.0 * shown, 0.0, 255.0)
    inside = (frequency >= rings.frequency[0]) & (frequency <= edge)
    picture = np.repeat(np.where(inside, grey, _SURROUND).astype(np.uint8)[:, :, None], 3, axis=2)
    picture[np.abs(frequency - 1.0 / resolution) < 0.75 * scale] = _MARK
    return picture


def _blurred(values: Array, rings: Rings, frequency: Array, angle: Array) -> Array:
    """Values of samples, blurred along their rings, at some frequencies (1/Å) and angles (radians, ±π/2)."""
    cells, shape = rings.cells(_RAYS), (rings.counts.size, _RAYS)
    sums, counts = (
        gaussian_filter(np.bincount(cells, weights, math.prod(shape)).reshape(shape), _BLUR, mode=("nearest", "wrap"))
        for weights in (values, np.ones_like(values))
    )
    means = np.pad(sums / np.maximum(counts, 1e-3), ((0, 0), (1, 1)), mode="wrap")
    ring = np.interp(frequency, rings.frequency, np.arange(shape[0]))
    blurred: Array = map_coordinates(means, [ring, (angle / np.pi + 0.5) * _RAYS + 0.5], order=1)
    return blurred
