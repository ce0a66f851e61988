"""How far a fit is to be believed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from emlab.arrays.ctf.background import Flattened
from emlab.arrays.ctf.fit import Fit
from emlab.arrays.ctf.model import Lens, depth_fading, ring_spacing
from emlab.arrays.ctf.phases import waves
from emlab.arrays.ctf.polar import polar_sums
from emlab.arrays.ctf.rings import Rings, added, rings_between
from emlab.arrays.cuda import Cuda
from emlab.arrays.kernel import kernel
from emlab.arrays.module import array_module, to_host

Array = NDArray[Any]

_CUDA: Final = Cuda(__file__)
_SCORED: Final = 1.0 / 5.0
"""1/Å up to which the score is taken, as CTFFIND does by default."""
_AGREES: Final = 0.5
"""Correlation in a window about as wide as a ring and a half."""
_NODE: Final = 0.25
"""Share of the rings' height that is left near a node, where nothing can agree or disagree."""
_ICE_RING: Final = 0.25, 0.28
_INSIDE_RING: Final = 0.21, 0.24
_OUTSIDE_RING: Final = 0.295, 0.325
"""1/Å: the ice ring, of 3.6 to 4 Å, and its two sides."""


@dataclass(frozen=True)
class Profile:
    """A spectrum and its model averaged along lines of equal phase, so that astigmatism does not blur the rings.

    Attributes
    ----------
    frequency
        (bin,) spatial frequency in the direction of the mean defocus, 1/Å.
    spectrum
        (bin,) power above the background, scaled like the model where there are rings to tell the scale.
    model
        (bin,) CTF²; in thick ice averaged over its depth.
    agreement
        (bin,) correlation of both in a window around the bin.
    node
        (bin,) whether thick ice has a node there, which leaves no rings to agree.
    """

    frequency: Array
    spectrum: Array
    model: Array
    agreement: Array
    node: Array


def score(data: Flattened, lens: Lens, fit: Fit) -> float:
    """Correlation of the background-free amplitudes with the fitted |CTF| up to 5 Å, −1 to 1.

    It depends on the noise of single samples, thus on the dose and on how the spectrum was averaged: compare it
    within one session.
    """
    wave, data = waves(data.rings, lens, fit.defocus), data.up_to(_SCORED)
    rings, xp = data.rings, array_module(data.excess)
    background = np.maximum(1.0 + fit.background[: rings.counts.size], 0.1)
    curves = np.stack([background, depth_fading(lens, rings.frequency, fit.thickness)], axis=1)
    if xp is np:
        sums = np.empty((len(curves), 5))
        _compare(data.excess, wave, curves, rings.starts, rings.counts, sums)
    else:
        sums = added(_CUDA, "compare", rings.bounds, 5, data.excess, wave, xp.asarray(curves))
    one, other, one_square, other_square, product = sums.sum(axis=0) / data.excess.size
    return float((product - one * other) / np.sqrt((one_square - one**2) * (other_square - other**2)))


def equiphase_profile(data: Flattened, lens: Lens, fit: Fit) -> Profile:
    """The averages along lines of equal phase, as in 10.1016/j.jsb.2015.08.008, figure 3."""
    rings, defocus = data.rings, fit.defocus
    counts, spectrum, model = to_host(polar_sums(data, lens, fit).sum(axis=-1))[:, 1:-1]
    spectrum, model = spectrum / np.maximum(counts, 1), model / np.maximum(counts, 1)
    window = np.maximum(0.75 * ring_spacing(lens, rings.frequency, defocus.mean) / rings.step, 4.0)
    noise = data.deviation(fit.background) / np.sqrt(np.maximum(counts, 1))
    fading = depth_fading(lens, rings.frequency, fit.thickness)
    node = np.abs(fading) < _NODE
    height = np.interp(rings.frequency, rings.frequency[~node], fit.amplitude[~node] / fading[~node])
    model = fading * model
    return Profile(
        frequency=rings.frequency,
        spectrum=0.5 + 0.5 * spectrum / np.hypot(height, 3.0 * noise),
        model=0.5 + 0.5 * model,
        agreement=_windowed_correlation(spectrum, model, counts, np.rint(window).astype(np.int64)),
        node=node,
    )


def fit_resolution(profile: Profile, fit: Fit) -> float:
    """Å: where the spectrum ceases to agree with the model and does not soon return to it.

    A fit without rings agrees with noise by chance, so it gets the coarsest resolution.
    """
    if not fit.is_significant:
        return 1.0 / float(profile.frequency[0])
    agrees = profile.agreement >= _AGREES
    first = int(np.argmax(agrees))
    patience = max(3, agrees.size // 25)
    last, missed = first, 0
    for bin_ in range(first, agrees.size):
        if agrees[bin_]:
            last, missed = bin_, 0
        elif not profile.node[bin_]:
            missed += 1
        if missed > patience:
            break
    return 1.0 / float(profile.frequency[last])


def aliasing_resolution(rings: Rings, lens: Lens, fit: Fit) -> float | None:
    """Å beyond which neighbouring Thon rings are less than two samples of the spectrum apart; ``None`` for nowhere."""
    resolved = ring_spacing(lens, rings.frequency, fit.defocus.mean) >= 2.0 * rings.pitch
    return None if resolved.all() else 1.0 / float(rings.frequency[int(np.argmin(resolved))])


def ice_density(spectrum: Array, pixel_size: float) -> float | None:
    """Power at the ice ring (3.6 to 4 Å) over that between its two sides; ``None`` where pixels are too coarse."""
    if _OUTSIDE_RING[1] > 0.5 / pixel_size:
        return None
    xp = array_module(spectrum)
    rings = rings_between(spectrum.shape[0], pixel_size, _INSIDE_RING[0], _OUTSIDE_RING[1], xp)
    power = rings.means(spectrum.ravel()[rings.index])
    inside, ring, outside = (
        float(power[(rings.frequency >= low) & (rings.frequency <= high)].mean())
        for low, high in (_INSIDE_RING, _ICE_RING, _OUTSIDE_RING)
    )
    share = (sum(_ICE_RING) - sum(_INSIDE_RING)) / (sum(_OUTSIDE_RING) - sum(_INSIDE_RING))
    return float(ring / (inside ** (1.0 - share) * outside**share))


def standard_errors(fit: Fit) -> tuple[float, float, float, float | None] | None:
    """Of the mean defocus (Å), the astigmatism (Å), its angle and the phase shift (degrees).

    ``None`` if the fit could not tell; the last is ``None`` where no phase shift was fitted.
    """
    if not np.all(np.isfinite(fit.covariance)) or np.linalg.eigvalsh(fit.covariance)[0] <= 0:
        return None
    astigmatic = fit.covariance[1:3, 1:3]
    doubled = math.radians(2.0 * fit.defocus.angle)
    along = np.array([math.cos(doubled), math.sin(doubled)])
    across = np.array([-math.sin(doubled), math.cos(doubled)])
    astigmatism = math.sqrt(along @ astigmatic @ along)
    sideways = math.sqrt(across @ astigmatic @ across)
    # Without astigmatism every angle is as good; this is then the spread of half a turn, 45° to either side.
    angle = math.degrees(math.atan2(sideways, fit.defocus.astigmatism)) / 2.0
    phase = math.sqrt(fit.covariance[3, 3]) if len(fit.covariance) > 3 else None
    return math.sqrt(fit.covariance[0, 0]), astigmatism, angle, phase


def _windowed_correlation(first: Array, second: Array, weights: Array, half_width: Array) -> Array:
    number = first.size
    low = np.maximum(np.arange(number) - half_width, 0)
    high = np.minimum(np.arange(number) + half_width + 1, number)

    def summed(values: Array) -> Array:
        running = np.concatenate([[0.0], np.cumsum(weights * values)])
        within: Array = running[high] - running[low]
        return within

    total = np.maximum(summed(np.ones(number)), 1.0)
    mean_1, mean_2 = summed(first) / total, summed(second) / total
    both = summed(first * second) / total - mean_1 * mean_2
    spread = (summed(first**2) / total - mean_1**2) * (summed(second**2) / total - mean_2**2)
    correlation: Array = both / np.sqrt(np.maximum(spread, 1e-30))
    return correlation


@kernel
def _compare(excess: Array, wave: Array, curves: Array, starts: Array, counts: Array, sums: Array) -> None:
    """Of each ring the sums of amplitudes and model, of their squares and of their product.

    Curves are the background, less than which is no amplitude's, and what ice leaves of the rings: (ring, 2).
    """
    for ring in range(starts.size):
        sums[ring] = 0.0
        background, fading = curves[ring]
        for i in range(starts[ring], starts[ring] + counts[ring]):
            one_square = (1.0 + excess[i]) / background
            other_square = 0.5 + 0.5 * fading * wave[i]
            one, other = np.sqrt(one_square), np.sqrt(max(other_square, 0.0))
            sums[ring, 0] += one
            sums[ring, 1] += other
            sums[ring, 2] += one_square
            sums[ring, 3] += other_square
            sums[ring, 4] += one * other
