"""The defocus that explains a flattened power spectrum best."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from emlab.arrays.ctf.background import KNOTS, Flattened, spline_basis
from emlab.arrays.ctf.model import Defocus, Lens, depth_fading
from emlab.arrays.ctf.moments import Moments
from emlab.arrays.ctf.phases import waves
from emlab.arrays.ctf.rings import binned

Array = NDArray[Any]

_AMPLITUDE_KNOTS: Final = np.arange(0.04, 1.0, 0.04)
"""1/Å; the rings' amplitude changes slowly."""
_ITERATIONS: Final = 20
_DAMPING: Final = 1e-3
_SMALL: Final = 1.0
"""Å (of defocus) and degrees (of phase shift): a smaller step is the last, taken on trust, and leaves far less."""
_SIGNIFICANT: Final = 60.0
"""The best of all fits to noise gains 17 to 47."""


@dataclass(frozen=True)
class Fit:
    """A fitted defocus.

    Attributes
    ----------
    defocus
        The best one.
    covariance
        (parameter, parameter): mean, straight, diagonal (Å) and, where it was fitted, the phase shift (degrees).
    background, amplitude
        (ring,) of the model: excess = background − amplitude · cos 2χ. Between two nodes the amplitude is negative.
    gain
        How much better the spectrum is explained than without rings: twice the logarithm of the likelihood ratio.
    misfit, noise
        Weighted sum of the squared residuals, and by how much it has to fall to gain 1.
    thickness
        Of the ice whose nodes are in the model, Å; 0 without nodes.
    thickness_error
        Its standard error, Å.
    rival
        Another defocus that explains the spectrum nearly as well, or outside of the range better.
    """

    defocus: Defocus
    covariance: Array
    background: Array
    amplitude: Array
    gain: float
    misfit: float = 0.0
    noise: float = 1.0
    thickness: float = 0.0
    thickness_error: float = 0.0
    rival: Defocus | None = None

    @property
    def is_significant(self) -> bool:
        """Whether the spectrum has rings."""
        return self.gain > _SIGNIFICANT


def refine(data: Flattened, lens: Lens, start: Defocus, *, with_phase: bool = False, thickness: float = 0.0) -> Fit:
    """The best defocus near ``start``, and with it the phase shift if it is asked for, in ice of ``thickness`` Å.

    Notes
    -----
    The excess is modelled as b(s) − a(s)·cos 2χ with two smooth curves, a not negative. Given a defocus, both follow
    from linear equations, so only three or four numbers are searched for (variable projection,
    10.1088/0266-5611/19/2/201), by Levenberg's and Marquardt's steps. As a and b are the same all along a ring, a
    step needs no more of the samples than sums over rings.
    """
    problem = _Problem(data, lens, with_phase, thickness)
    return problem.result(problem.climbed(start))


def approached(data: Flattened, lens: Lens, start: Defocus, *, with_phase: bool, thickness: float) -> Defocus:
    """A defocus that is a step nearer to the one that `refine` finds."""
    problem = _Problem(data, lens, with_phase, thickness)
    state = problem.curves(_vector(start))
    return Defocus(*(state.vector + problem.step(state, _DAMPING)).tolist()) if state.used.size else start


def misfits(data: Flattened, lens: Lens, defocus: Defocus, thicknesses: Array, *, inverted: bool = True) -> Array:
    """(thickness,) weighted sum of squared residuals in ice of these thicknesses (Å), the defocus as it is.

    Parameters
    ----------
    inverted
        Whether the rings return behind a node, inverted; else they end there.
    """
    problem = _Problem(data, lens, False, 0.0)
    return data.total - problem.explained(problem.moments(defocus), problem.faded(thicknesses, inverted=inverted))[-1]


@dataclass(frozen=True, eq=False)
class _State:
    """Both curves at their best for one defocus, the splines of the height that are used, and the levels' matrix."""

    vector: Array
    moments: Array
    background: Array
    amplitude: Array
    used: Array
    normal: Array
    misfit: float

    @property
    def defocus(self) -> Defocus:
        """What the state is for."""
        return Defocus(*self.vector.tolist())


class _Problem:
    """Least squares for one spectrum; see `Moments`."""

    def __init__(self, data: Flattened, lens: Lens, with_phase: bool, thickness: float) -> None:
        self.data, self.lens = data, lens
        self.moments = Moments(data, lens, with_phase)
        self.levels = spline_basis(data.rings.frequency, KNOTS)
        self.thickness, self.heights = thickness, self.faded(np.array([thickness]))

    def faded(self, thicknesses: Array, *, inverted: bool = True) -> Array:
        """Splines of the rings' height, (thickness, ring, spline): they fade and return, or only fade, in ice."""
        frequency = self.data.rings.frequency
        fading = depth_fading(self.lens, frequency, thicknesses[:, None])
        if not inverted:
            fading = np.where(np.logical_and.accumulate(fading > 0, axis=1), fading, 0.0)
        return spline_basis(frequency, _AMPLITUDE_KNOTS) * fading[:, :, None]

    def climbed(self, start: Defocus) -> _State:
        """The best state near ``start``."""
        state, damping = self.curves(_vector(start)), _DAMPING
        for _ in range(_ITERATIONS if state.used.size else 0):
            step = self.step(state, damping)
            if np.abs(step).max() < _SMALL:
                return replace(state, vector=state.vector + step)
            trial = self.curves(state.vector + step)
            if trial.misfit <= state.misfit:
                state, damping = trial, damping / 5.0
            else:
                damping = max(10.0 * damping, _DAMPING)
        return state

    def step(self, state: _State, damping: float) -> Array:
        """Levenberg's and Marquardt's, of all four unknowns."""
        slope, curvature = self.normal_equations(state)
        step = np.zeros(4)
        step[: slope.size] = np.linalg.solve(curvature + damping * np.diag(np.diag(curvature)), slope)
        return step

    def curves(self, vector: Array) -> _State:
        """Both curves at their best for a defocus."""
        moments = self.moments(Defocus(*vector.tolist()))
        normal, (a,), (b,), (explained,) = self.explained(moments, self.heights)
        heights = self.heights[0]
        misfit = self.data.total - float(explained)
        return _State(vector, moments, self.levels @ b, heights @ a, heights[:, a > 0], normal, misfit)

    def explained(self, moments: Array, heights: Array) -> tuple[Array, Array, Array, Array]:
        """What several choices of splines for the rings' height, (choice, ring, spline), make of a defocus's moments.

        The levels' matrix, each one's coefficients of the height (choice, spline) and of the background
        (choice, level), and by how much they lower the sum of squares (choice,).
        """
        levels, mixed = self.levels, self.levels.T @ (moments[:, 0, 1, None] * heights)
        normal, sums = _product(levels, moments[:, 0, 0], levels), levels.T @ moments[:, 0, -1]
        products = moments[:, 1, -1] @ heights
        solved, alone = np.linalg.solve(normal, mixed), np.linalg.solve(normal, sums)
        across = np.swapaxes(mixed, -1, -2)
        of_heights = np.swapaxes(heights, -1, -2) @ (moments[:, 1, 1, None] * heights)
        values, axes = np.linalg.eigh(of_heights - across @ solved)
        # Where rings are wide the background can all but imitate them, and rounding makes what is left negative.
        roots = np.sqrt(np.maximum(values, 1e-6 * values[:, -1:]))
        wanted = products - across @ alone
        a = np.array([
            nnls(root[:, None] * axis.T, axis.T @ one / root)[0]
            for root, axis, one in zip(roots, axes, wanted, strict=True)
        ])  # fmt: skip
        b = alone - (solved @ a[:, :, None])[:, :, 0]
        return normal, a, b, b @ sums + (a * products).sum(axis=1)

    def normal_equations(self, state: _State) -> tuple[Array, Array]:
        """Right-hand side and matrix for a step of the unknowns, the curves following."""
        moments, a, levels, used = state.moments, state.amplitude[:, None], self.levels, state.used
        ones, waves, slopes = moments[:, 0], moments[:, 1], moments[:, 2:-1]
        count = levels.shape[1]
        linear = np.empty((count + used.shape[1],) * 2)
        linear[:count, :count], linear[count:, count:] = state.normal, _product(used, waves[:, 1], used)
        linear[:count, count:] = _product(levels, ones[:, 1], used)
        linear[count:, :count] = linear[:count, count:].T
        mixed = np.concatenate([levels.T @ (a * ones[:, 2:-1]), used.T @ (a * waves[:, 2:-1])])
        residual = slopes[:, :, -1] - state.background[:, None] * slopes[:, :, 0] - a * slopes[:, :, 1]
        curvature = np.tensordot(state.amplitude**2, slopes[:, :, 2:-1], 1)
        return (a * residual).sum(axis=0), curvature - mixed.T @ np.linalg.lstsq(linear, mixed, rcond=None)[0]

    def result(self, state: _State) -> Fit:
        weights, sums = self.data.weights, self.levels.T @ state.moments[:, 0, -1]
        variance = state.misfit / float(weights @ self.data.rings.counts)
        noise = variance * self._clustering(state, variance)
        _, curvature = self.normal_equations(state)
        without_rings = self.data.total - float(sums @ np.linalg.solve(state.normal, sums))
        return Fit(
            defocus=state.defocus,
            covariance=_inverse(curvature) * noise,
            background=state.background,
            amplitude=state.amplitude,
            gain=(without_rings - state.misfit) / noise,
            misfit=state.misfit,
            noise=noise,
            thickness=self.thickness,
        )

    def _clustering(self, state: _State, variance: float) -> float:
        """How much larger the variance of sums over patches is than that of as many independent samples.

        Neighbouring samples of a windowed spectrum are alike (a Hann window makes this 3.8), and what the model misses
        is alike over more: standard errors must not count each sample as news.
        """
        rings, excess = self.data.rings, self.data.excess
        per_ring = np.stack([state.background, state.amplitude, np.sqrt(self.data.weights)])
        background, amplitude, root = rings.spread(per_ring)
        sums = binned(
            rings.patches,
            (excess - background - amplitude * waves(rings, self.lens, state.defocus)) * root,
            rings.patch_count,
        )
        return max(1.0, float(sums @ sums) / (variance * float(excess.size)))


def _vector(defocus: Defocus) -> Array:
    return np.array([defocus.mean, defocus.straight, defocus.diagonal, defocus.phase_shift])


def _product(left: Array, weights: Array, right: Array) -> Array:
    product: Array = left.T @ (weights[:, None] * right)
    return product


def _inverse(matrix: Array) -> Array:
    """The inverse; infinite where there is none."""
    try:
        return np.linalg.inv(matrix)
    except np.linalg.LinAlgError:
        return np.full_like(matrix, np.inf)
