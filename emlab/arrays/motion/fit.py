"""The motion of the whole field and within it, estimated together from all patches and frames."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from emlab.arrays.motion.covariance import Covariance, model_covariance, second_moments
from emlab.arrays.motion.field import POWERS, terms_at
from emlab.arrays.motion.patches import Patches
from emlab.arrays.motion.prior import Posterior, combine, heavy_tailed
from emlab.arrays.motion.score import align, score
from emlab.arrays.threads import each

Array = NDArray[Any]

_ITERATIONS: Final = 8
_TOLERANCE: Final = 0.02
_SETTLED: Final = 3
"""Iterations after which the prior stays as it is, lest two neighbouring strengths call for each other."""
_LONGEST_STEP: Final = 1.0
_COARSE: Final = 0.6
"""Part of the rings that tell roughly where everything is, with a third of the samples."""
_FADING: Final = 0.5
"""Each degree of the motion within the field is expected to be half as strong as the one before."""


@dataclass(frozen=True)
class Fit:
    """What a movie says about its motion.

    Attributes
    ----------
    coefficients
        See `MotionField`: float64 (yx, term, frame), px of the images that were fitted.
    uncertainty
        Standard deviation of the whole field's displacement between the first frame and another, RMS over frames, px.
    residual
        How far each frame by itself wants to go from where it was put, RMS over frames and axes, px.
    restlessness
        Typical change of velocity from frame to frame, px.
    """

    coefficients: Array
    uncertainty: float
    residual: float
    restlessness: float


def fit_motion(patches: Patches, degree: int) -> Fit:
    """The most probable motion, smooth in time and place as far as the frames do not say otherwise.

    Parameters
    ----------
    patches
        Cut from frames that are aligned to about a pixel.
    degree
        Of the polynomial in the place, from 0: the whole field moves as one.

    Notes
    -----
    Fisher scoring on the samples of all patches at once: their log likelihood under a Gaussian model whose
    covariances the aligned frames give (`model_covariance`), with a prior whose strength the evidence gives
    (`combine`): a movie that says little about motion within the field is moved as a whole.
    """
    coarse = patches.below(_COARSE)
    start = np.zeros((2, sum(sum(powers) <= degree for powers in POWERS), len(patches.shifts)))
    start[:, 0] = (patches.shifts - patches.shifts[0]).T
    begin = _State(coarse, start, _learned(coarse, start), np.ones(len(patches.shifts) - 1))
    rough = _climbed(begin, learning=True)
    fine = replace(rough, patches=patches, covariance=_learned(patches, rough.coefficients))
    return _climbed(fine, learning=False).fit()


@dataclass(frozen=True)
class _State:
    """How far the search for the most probable coefficients has come."""

    patches: Patches
    coefficients: Array
    covariance: Covariance
    steadiness: Array
    posteriors: tuple[Posterior, ...] = ()
    wish: float = 0.0

    def fit(self) -> Fit:
        whole = self.posteriors[0]
        return Fit(self.coefficients, float(np.sqrt(whole.variance.mean())), self.wish, whole.strength)


def _climbed(state: _State, *, learning: bool) -> _State:
    """Uphill until the frames stay where they are, learning on the way what they have in common or not."""
    for iteration in range(_ITERATIONS):
        before = state.coefficients
        state = _stepped(state, learning=learning, settled=iteration >= _SETTLED)
        if np.abs(state.coefficients - before).max() < _TOLERANCE:
            break
    return state


def _stepped(state: _State, *, learning: bool, settled: bool) -> _State:
    patches, covariance = state.patches, state.covariance
    places = terms_at(patches.places, state.coefficients.shape[1])
    gradient = np.zeros_like(state.coefficients)
    moments = []
    shifts = _left(patches, state.coefficients)

    def pulled(part: slice) -> tuple[Array, Array | None]:
        aligned = align(patches.samples[part], patches.band, shifts[part])
        pull = score(aligned, patches.band, covariance.weights)
        share = patches.independence * np.einsum("pb,pfa->abf", places[part], pull)
        return share, second_moments(aligned, patches.band) if learning else None

    for share, moment in each(pulled, patches.parts()):
        gradient += share
        if moment is not None:
            moments.append(moment)
    moved, steadiness, posteriors = _solved(state, places, gradient, settled)
    step = moved - state.coefficients
    alone = np.diag(covariance.information) * covariance.strength.sum()
    return replace(
        state,
        coefficients=state.coefficients + step * min(1.0, _LONGEST_STEP / max(float(np.abs(step).max()), 1e-12)),
        covariance=model_covariance(np.concatenate(moments), patches.band, patches.independence)
        if learning
        else covariance,
        steadiness=steadiness,
        posteriors=posteriors,
        wish=float(np.sqrt(((gradient[:, 0] / np.maximum(alone, 1e-12)) ** 2).mean())),
    )


def _solved(state: _State, places: Array, gradient: Array, settled: bool) -> tuple[Array, Array, tuple[Posterior, ...]]:
    """Coefficients that are most probable if the likelihood is a parabola, the whole field's first."""
    spatial = np.einsum("p,pb,pd->bd", state.covariance.strength, places, places)
    # Displacements are relative to the first frame, so that it has none and gives no information.
    information = state.covariance.information[1:, 1:]
    now = state.coefficients[:, :, 1:]
    pull = gradient[:, :, 1:] + spatial @ now @ information
    within = spatial[:1, 1:] @ now[:, 1:] @ information
    before = state.posteriors if settled else (None, None)
    whole = combine(pull[:, :1] - within, spatial[:1, :1], information, np.ones(1), state.steadiness, before[0])
    moved = np.zeros_like(state.coefficients)
    moved[:, :1, 1:] = whole.mean
    posteriors: tuple[Posterior, ...] = (whole,)
    if len(spatial) > 1:
        common = spatial[1:, :1] @ whole.mean @ information
        degrees = np.array([sum(powers) for powers in POWERS[1 : len(spatial)]])
        steady = np.ones(len(information))
        local = combine(
            pull[:, 1:] - common, spatial[1:, 1:], information, _FADING ** (degrees - 1.0), steady, before[1]
        )
        moved[:, 1:, 1:] = local.mean
        posteriors = (whole, local)
    return moved, heavy_tailed(whole.innovations, state.steadiness), posteriors


def _left(patches: Patches, coefficients: Array) -> Array:
    """What is left to move in each patch: float64 (patch, frame, yx)."""
    total = np.einsum("pb,abf->pfa", terms_at(patches.places, coefficients.shape[1]), coefficients)
    return total - (patches.shifts - patches.shifts[0])  # type: ignore[no-any-return]


def _learned(patches: Patches, coefficients: Array) -> Covariance:
    shifts = _left(patches, coefficients)

    def moments(part: slice) -> Array:
        return second_moments(align(patches.samples[part], patches.band, shifts[part]), patches.band)

    of_all = np.concatenate(list(each(moments, patches.parts())))
    return model_covariance(of_all, patches.band, patches.independence)
