"""Where the whole field is in each frame, to about a pixel, however far it moved."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from emlab.arrays.fft import irfft2
from emlab.arrays.module import array_module

Array = NDArray[Any]

_MEMORY: Final = 0.8
"""How much of the running reference each frame keeps."""
_PASSES: Final = 6
_STRIDE: Final = 2.0
"""Typical distance between frames, px."""


def find_trajectory(spectra: Array, width: int) -> Array:
    """Displacement of the specimen in each frame, relative to the first: float64 (frame, yx), px of these images.

    Parameters
    ----------
    spectra
        Half spectra of the frames, complex64 (frame, y, width // 2 + 1).
    width
        Of the images, px.

    Notes
    -----
    Each frame is correlated with a reference, the amplitudes of its rings made equal. Two beginnings compete: a
    reference that follows the specimen from frame to frame, which a fast drift or a jump does not blur, and the sum of
    all frames as they are, which has more signal where frames are poor. Both are refined against the sum of all
    other frames, and the more plausible one is taken.
    """
    whitened, weight = _whitened(spectra, width)
    starts = (_followed(whitened, weight, width), np.zeros((len(spectra), 2)))
    candidates = [_refined(whitened, weight, width, start) for start in starts]
    best: Array = max(candidates, key=lambda candidate: candidate[1])[0]
    return best - best[0]  # type: ignore[no-any-return]


def _whitened(spectra: Array, width: int) -> tuple[Array, Array]:
    """Spectra with rings of equal power, and a weight that falls with spatial frequency: float32 (y, x)."""
    xp = array_module(spectra)
    height = spectra.shape[1]
    along_y, along_x = xp.fft.fftfreq(height)[:, None] * 2, xp.fft.rfftfreq(width)[None] * 2
    radius = xp.hypot(along_y, along_x)
    ring = xp.minimum((radius * min(height, width) / 4).astype(xp.int64), min(height, width) // 4)
    power = (spectra.real**2 + spectra.imag**2).mean(axis=0)
    count = xp.maximum(xp.bincount(ring.ravel()), 1)
    mean = xp.bincount(ring.ravel(), power.ravel().astype(xp.float64)) / count
    scale = xp.where(mean > 0, 1.0 / xp.sqrt(xp.maximum(mean, 1e-30)), 0.0).astype(xp.float32)[ring]
    weight = xp.exp(-2.0 * radius**2) * (radius < 1.0)
    # Edges of the field do not move: their leakage lies on the axes.
    weight[xp.abs(along_y[:, 0]) * height < 3] = 0
    weight[:, xp.abs(along_x[0]) * width < 3] = 0
    return spectra * scale, weight.astype(xp.float32)


def _followed(spectra: Array, weight: Array, width: int) -> Array:
    shifts = np.zeros((len(spectra), 2))
    reference = spectra[0].copy()
    for frame in range(1, len(spectra)):
        shifts[frame], _ = _displacement(spectra[frame], reference, weight, width, shifts[frame - 1])
        reference *= np.float32(_MEMORY)
        reference += spectra[frame] * _ramp(spectra, width, shifts[frame])
    return shifts


def _refined(spectra: Array, weight: Array, width: int, shifts: Array) -> tuple[Array, float]:
    """Shifts against the sum of all other frames, and how plausible they are."""
    shifts = shifts.copy()
    total = array_module(spectra).zeros_like(spectra[0])
    for frame, shift in enumerate(shifts):
        total += spectra[frame] * _ramp(spectra, width, shift)
    for _ in range(_PASSES):
        before, plausibility = shifts.copy(), 0.0
        for frame in range(len(spectra)):
            total -= spectra[frame] * _ramp(spectra, width, shifts[frame])
            beside = shifts[[max(frame - 1, 0), min(frame + 1, len(spectra) - 1)]].mean(axis=0)
            shifts[frame], plausible = _displacement(spectra[frame], total, weight, width, beside)
            plausibility += plausible
            total += spectra[frame] * _ramp(spectra, width, shifts[frame])
        if np.abs(shifts - before).max() < 0.25:
            break
    return shifts, plausibility


def _ramp(spectra: Array, width: int, shift: Array) -> Array:
    """Undoes a displacement: complex64 (y, x)."""
    xp = array_module(spectra)
    along_y = xp.exp(2j * np.pi * xp.fft.fftfreq(spectra.shape[1]) * float(shift[0])).astype(xp.complex64)
    along_x = xp.exp(2j * np.pi * xp.fft.rfftfreq(width) * float(shift[1])).astype(xp.complex64)
    return along_y[:, None] * along_x  # type: ignore[no-any-return]


def _displacement(frame: Array, reference: Array, weight: Array, width: int, expected: Array) -> tuple[Array, float]:
    """Displacement of a frame against a reference, near the expected one unless it is far more plausible elsewhere."""
    xp = array_module(frame)
    correlation = irfft2(frame * reference.conj() * weight, width)
    significance = correlation / max(float(correlation.std()), 1e-30)
    high = xp.flatnonzero(significance >= 0.5 * significance.max())
    y, x = xp.divmod(high, width)
    offset_y, offset_x = _wrapped(y, frame.shape[0]), _wrapped(x, width)
    distance = (offset_y - expected[0]) ** 2 + (offset_x - expected[1]) ** 2
    # Half the square of a peak's height in σ is its log likelihood; distance has heavy tails, since specimens jump.
    plausible = 0.5 * significance.ravel()[high] ** 2 - 2.0 * xp.log1p(distance / (2.0 * _STRIDE**2))
    best = int(xp.argmax(plausible))
    y, x = int(y[best]), int(x[best])
    shift = np.array([_peak(correlation[:, x], y), _peak(correlation[y], x)])
    return shift, float(plausible[best])


def _peak(line: Array, index: int) -> float:
    """Where the parabola through three samples of a periodic line is highest."""
    length = len(line)
    before, here, after = (float(line[(index + step) % length]) for step in (-1, 0, 1))
    bend = before - 2.0 * here + after
    offset = 0.5 * (before - after) / bend if bend < 0 else 0.0
    return float(_wrapped(index, length)) + float(np.clip(offset, -0.5, 0.5))


def _wrapped(index: Any, length: int) -> Any:
    """Of indices of a periodic axis, those beyond the middle count backwards."""
    return (index + length // 2) % length - length // 2
