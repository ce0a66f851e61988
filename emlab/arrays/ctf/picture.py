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
from emlab.arrays.ctf.model import Lens, mean_frequency, phase_delay
from emlab.arrays.ctf.phases import equal_phase
from emlab.arrays.ctf.rings import Rings, binned
from emlab.arrays.module import array_module

Array = NDArray[Any]

_SIZE: Final = 512
"""px each way."""
_RAYS: Final = 120
"""Directions in the half plane."""
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
    rings = data.rings
    xp = array_module(data.excess)
    edge = float(rings.frequency[-1])
    scale = 2.0 * edge / _SIZE
    frequency, angle, (squares, cosines, sines) = _canvas(edge, xp)
    left, right = np.s_[:, : _SIZE // 2], np.s_[:, _SIZE // 2 :]
    seen = data.excess - rings.spread(fit.background)
    averaged = 2.0 * math.sqrt(math.pi) * _BLUR[1] * rings.counts / _RAYS
    height = np.hypot(fit.amplitude, _NOISE * float(seen.std()) / np.sqrt(averaged))

    shown = xp.empty((_SIZE, _SIZE), np.float32)
    phase = equal_phase(rings, lens, fit.defocus)
    wanted = mean_frequency(lens, squares[left], cosines[left], sines[left], fit.defocus)
    shown[left] = _blurred(seen / rings.spread(height), rings, phase, wanted, angle[left])
    wave = -np.cos(2.0 * phase_delay(lens, squares[right], cosines[right], sines[right], fit.defocus))
    shown[right] = wave * _interpolated(frequency[right], rings.frequency, fit.amplitude / height)

    grey = np.clip(128.0 + 110.0 * shown, 0.0, 255.0)
    inside = (frequency >= rings.frequency[0]) & (frequency <= edge)
    grey = xp.where(inside, grey, _SURROUND).astype(np.uint8)[:, :, None]
    arc = xp.abs(frequency - 1.0 / resolution) < 0.75 * scale
    return xp.where(arc[:, :, None], xp.asarray(_MARK, dtype=np.uint8), grey)  # type: ignore[no-any-return]


@lru_cache(maxsize=2)
def _canvas(edge: float, xp: ModuleType) -> tuple[Array, Array, tuple[Array, Array, Array]]:
    """Of each px the frequency, the angle, and what the phase is made of; the same for a session's pictures.

    A power spectrum is the same on the other side of its centre, so an angle of half the plane tells all.
    """
    x = (xp.arange(_SIZE, dtype=np.float32) - (_SIZE - 1) / 2) * np.float32(2.0 * edge / _SIZE)
    y = x[:, None]
    frequency, angle = np.hypot(y, x), np.arctan(y / x)
    return frequency, angle, (frequency**2, np.cos(2.0 * angle), np.sin(2.0 * angle))


def _blurred(values: Array, rings: Rings, phase: Array, wanted: Array, angle: Array) -> Array:
    """Values of samples, blurred along lines of equal phase.

    Parameters
    ----------
    phase
        (sample,) frequency, 1/Å, at which the mean defocus has the phase of the sample.
    wanted, angle
        The same of each place that is wanted, and its direction, radians within ±π/2.
    """
    xp = array_module(values)
    number, turns = rings.counts.size, np.arange(rings.counts.size)
    row = _interpolated(phase, rings.frequency, turns)
    cells, shape = xp.rint(row).astype(np.int64) * _RAYS + rings.cells(_RAYS) % _RAYS, (number, _RAYS)
    along, across = _blurs(number, xp)
    sums, counts = (
        along @ binned(cells, weights, math.prod(shape)).reshape(shape) @ across
        for weights in (values, xp.ones_like(values))
    )
    means = xp.pad(sums / np.maximum(counts, 1e-3), ((0, 1), (1, 1)), mode="wrap")
    ring, ray = _interpolated(wanted, rings.frequency, turns), (angle / np.pi + 0.5) * _RAYS + 0.5
    top, left = xp.floor(ring).astype(np.int64), xp.floor(ray).astype(np.int64)
    down, right = ring - top, ray - left
    upper = means[top, left] + right * (means[top, left + 1] - means[top, left])
    lower = means[top + 1, left] + right * (means[top + 1, left + 1] - means[top + 1, left])
    return upper + down * (lower - upper)  # type: ignore[no-any-return]


@lru_cache(maxsize=2)
def _blurs(number: int, xp: ModuleType) -> tuple[Array, Array]:
    """Matrices that blur over ``number`` rings, from the left, and over the rays, from the right."""
    along = gaussian_filter1d(np.eye(number), _BLUR[0], axis=0, mode="nearest")
    across = gaussian_filter1d(np.eye(_RAYS), _BLUR[1], axis=1, mode="wrap")
    return xp.asarray(along), xp.asarray(across)


def _interpolated(wanted: Array, places: Array, values: Array) -> Array:
    xp = array_module(wanted)
    return xp.interp(xp.ascontiguousarray(wanted), xp.asarray(places), xp.asarray(values))  # type: ignore[no-any-return]
