"""Where the whole field is in each frame, to about a pixel, however far it moved."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from emlab.arrays.cuda import Cuda
from emlab.arrays.fft import irfft2
from emlab.arrays.module import array_module, to_host
from emlab.arrays.motion.move import moved

Array = NDArray[Any]

_CUDA: Final = Cuda(__file__)
_MEMORY: Final = np.float32(0.8)
"""How much of the frames before it a reference keeps with each frame."""
_FAR: Final = np.float32(0.25)
"""How much frames far in time count, of which particles have as much left, but ice that the beam shakes up nothing."""
_PASSES: Final = 6
_STRIDE: Final = 2.0
"""Typical distance between frames, px."""
_LAGS: Final = (8, 4, 2, 1)
"""Frames between those that tell a steady drift: the more, the better they tell it."""
_LANES: Final = 4096
_AGAIN: Final = 64
"""Threads that share a correlation, and those that share what they found."""
_CLEAR: Final = 6.0
"""Standard deviations that no peak of noise alone has."""


def find_trajectory(spectra: Array, width: int, part: Array | None = None) -> Array:
    """Displacement of the specimen in each frame, relative to the first: float64 (frame, yx), px of these images.

    Parameters
    ----------
    spectra
        Half spectra of the frames, complex64 (frame, y, width // 2 + 1).
    width
        Of the images, px.
    part
        Samples to go by: bool (y, width // 2 + 1); all if ``None``.

    Notes
    -----
    Each frame is correlated with all others, those close in time first, the amplitudes of their rings made equal. The
    frames before it are aligned by then, so that a fast drift or a jump is followed from frame to frame. Where
    the frames say too little for that one by one, the drift that they have in common is where the search begins.
    """
    xp = array_module(spectra)
    whitened, weight = _whitened(spectra, width)
    if part is not None:
        weight *= part
    # Where a GPU finds them they stay there: waiting for each would take longer than finding it.
    shifts = xp.asarray(np.outer(np.arange(len(spectra)), _steady_drift(whitened, weight, width)))
    aligned = moved(whitened, width, shifts)
    for _ in range(_PASSES):
        before = shifts.copy()
        _improve(whitened, aligned, weight, width, shifts)
        if float(xp.abs(shifts - before).max()) < 0.25:
            break
    return to_host(shifts - shifts[0])


def disagreement(spectra: Array, width: int) -> float:
    """How far apart two halves of the samples by themselves put the frames, median over frames, px.

    Parameters
    ----------
    spectra, width
        As for `find_trajectory`.

    Notes
    -----
    Noise is not the same in both halves, so that they do not agree on a trajectory that only noise suggests, however
    sure each is of it.
    """
    xp = array_module(spectra)
    half = xp.asarray(np.random.default_rng(0).random(spectra.shape[1:]) < 0.5)
    difference = find_trajectory(spectra, width, half) - find_trajectory(spectra, width, ~half)
    return float(np.median(np.hypot(*(difference - np.median(difference, axis=0)).T)))


def _steady_drift(spectra: Array, weight: Array, width: int) -> Array:
    """Displacement from one frame to the next that all frames together show, float64 (yx,); 0 where it is not clear."""
    for lag in _LAGS:
        if lag >= len(spectra):
            continue
        product = (spectra[lag:] * spectra[:-lag].conj()).sum(axis=0)
        correlation = irfft2(product * weight, width)
        y, x = divmod(int(correlation.argmax()), width)
        if float(correlation[y, x]) > _CLEAR * float(correlation.std()):
            return np.array([_peak(correlation[:, x], y), _peak(correlation[y], x)]) / lag
    return np.zeros(2)


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


def _improve(spectra: Array, aligned: Array, weight: Array, width: int, shifts: Array) -> None:
    """Find each frame once, in order, against those before it where they are now and those after it where they were."""
    if array_module(spectra) is not np:
        _improve_on_card(spectra, aligned, weight, width, shifts)
        return
    last = len(spectra) - 1
    after = np.zeros_like(aligned)
    for frame in range(last - 1, -1, -1):
        after[frame] = _MEMORY * after[frame + 1] + aligned[frame + 1]
    total, earlier = aligned.sum(axis=0), np.zeros_like(aligned[0])
    for frame in range(last + 1):
        total -= aligned[frame]
        others = earlier + after[frame] + _FAR * total
        correlation = irfft2(spectra[frame] * others.conj() * weight, width)
        beside = 0.5 * (shifts[max(frame - 1, 0)] + shifts[min(frame + 1, last)])
        shifts[frame] = _displacement(correlation, beside)
        aligned[frame] = moved(spectra[frame : frame + 1], width, shifts[frame : frame + 1])[0]
        total += aligned[frame]
        earlier *= _MEMORY
        earlier += aligned[frame]


def _improve_on_card(spectra: Array, aligned: Array, weight: Array, width: int, shifts: Array) -> None:
    """The same without waiting for the card, which takes less time for a frame than to be told of each of its steps."""
    xp = array_module(spectra)
    frames, (height, columns) = len(spectra), spectra.shape[1:]
    size, pixels = height * columns, height * width
    after, earlier = xp.empty_like(aligned), xp.zeros_like(aligned[0])
    _CUDA("fade", (size,), aligned, frames, size, float(_MEMORY), after)
    total, product = aligned.sum(axis=0), xp.empty_like(earlier)
    squares, highest, plausible = (xp.empty(_LANES, np.float32) for _ in range(3))
    best = xp.empty(_LANES, np.int64)
    for frame in range(frames):
        others = after[frame], earlier, weight, float(_FAR)
        _CUDA("correlate", (size,), spectra[frame], aligned[frame], *others, size, total, product)
        correlation = irfft2(product, width)
        _CUDA("survey", (_LANES,), correlation, pixels, _LANES, squares, highest)
        _CUDA("survey_again", (_AGAIN,), squares, highest, _LANES, _AGAIN)
        seen = correlation, height, width, squares, highest, _AGAIN
        _CUDA("judge", (_LANES,), *seen, shifts, frame, frames, _STRIDE, _LANES, plausible, best)
        _CUDA("judge_again", (_AGAIN,), plausible, best, _LANES, _AGAIN)
        _CUDA("settle", (1,), correlation, height, width, plausible, best, _AGAIN, frame, shifts)
        turned = spectra[frame], height, columns, width, shifts, frame, float(_MEMORY)
        _CUDA("put_back", (height, columns), *turned, aligned[frame], total, earlier)


def _displacement(correlation: Array, expected: Array) -> Array:
    """Displacement that a correlation tells, near the expected one unless it is far more plausible elsewhere."""
    height, width = correlation.shape
    significance = correlation / max(float(correlation.std()), 1e-30)
    high = np.flatnonzero(significance >= 0.5 * significance.max())
    offset_y, offset_x = _wrapped(high // width, height), _wrapped(high % width, width)
    distance = (offset_y - expected[0]) ** 2 + (offset_x - expected[1]) ** 2
    # Half the square of a peak's height in σ is its log likelihood; distance has heavy tails, since specimens jump.
    plausible = 0.5 * significance.ravel()[high] ** 2 - 2.0 * np.log1p(distance / (2.0 * _STRIDE**2))
    y, x = divmod(int(high[np.argmax(plausible)]), width)
    return np.array([_peak(correlation[:, x], y), _peak(correlation[y], x)])


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
