"""The defocus that explains a flattened power spectrum best."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from emlab.arrays.ctf.background import KNOTS, Flattened, spline_basis
from emlab.arrays.ctf.model import Defocus, Lens, depth_fading
from emlab.arrays.ctf.moments import moments
from emlab.arrays.ctf.phases import waves
from emlab.arrays.ctf.rings import Rings, added
from emlab.arrays.cuda import Cuda
from emlab.arrays.kernel import kernel
from emlab.arrays.module import array_module

Array = NDArray[Any]

_CUDA: Final = Cuda(__file__)
_AMPLITUDE_KNOTS: Final = np.arange(0.04, 1.0, 0.04)
"""1/Å; the rings' amplitude changes slowly."""
_ITERATIONS: Final = 20
_DAMPING: Final = 1e-3
_SMALL: Final = 1.0
"""Å (of defocus) and degrees (of phase shift): a smaller step is the last, taken on trust, and leaves far less."""
_LEAST: Final = 1e-9
"""Share of the sum of all squares of the height's splines that is added to each."""
_SIGNIFICANT: Final = 60.0
"""The best of all fits to noise gains 17 to 47."""


@dataclass(frozen=True, eq=False)
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
    return Defocus(*(state.vector + problem.step(state, _DAMPING)).tolist()) if state.used.any() else start


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
    """Both curves at their best for one defocus, and the equations that make them so."""

    vector: Array
    moments: Array
    background: Array
    amplitude: Array
    used: Array
    """(spline,) whether the height has a share of it."""
    across: Array
    """(spline, level) how the coefficients of the background follow those of the height."""
    heights: Array
    """(spline, spline) matrix of the heights, the background following."""
    misfit: float

    @property
    def defocus(self) -> Defocus:
        """What the state is for."""
        return Defocus(*self.vector.tolist())


class _Problem:
    """Least squares for one spectrum; see `moments`."""

    def __init__(self, data: Flattened, lens: Lens, with_phase: bool, thickness: float) -> None:
        self.data, self.lens, self.with_phase, self.thickness = data, lens, with_phase, thickness
        self.levels, self.splines, self.mixed, self.squared = _curves(data.rings)
        self.inverse, self.sums = _background(data)
        self.fading = self.faded(np.array([thickness]))

    def moments(self, defocus: Defocus) -> Array:
        """Of the spectrum."""
        return moments(self.data, self.lens, defocus, self.with_phase)

    def faded(self, thicknesses: Array, *, inverted: bool = True) -> Array:
        """What ice leaves of the rings, (thickness, ring): they fade and return, or only fade."""
        fading = _faded(self.data.rings, self.lens, thicknesses.tobytes())
        return fading if inverted else np.where(np.logical_and.accumulate(fading > 0, axis=1), fading, 0.0)

    def climbed(self, start: Defocus) -> _State:
        """The best state near ``start``."""
        state, damping = self.curves(_vector(start)), _DAMPING
        for _ in range(_ITERATIONS if state.used.any() else 0):
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
        (across,), (heights,), (a,), (b,), (explained,) = self.explained(moments, self.fading)
        background, amplitude = self.levels @ b, self.fading[0] * (self.splines @ a)
        misfit = self.data.total - float(explained)
        return _State(vector, moments, background, amplitude, a > 0, across, heights, misfit)

    def explained(self, moments: Array, fading: Array) -> tuple[Array, ...]:
        """What fading the rings in several ways, (choice, ring), makes of a defocus's moments.

        Of each choice what `_State` has of the equations, the coefficients of the height (choice, spline) and of the
        background (choice, level), and by how much they lower the sum of squares (choice,).
        """
        ones, waves = moments[:, 0], moments[:, 1]
        level, spline = self.levels.shape[1], self.splines.shape[1]
        mixed = ((fading * ones[:, 1]) @ self.mixed).reshape(-1, level, spline)
        products = (fading * waves[:, -1]) @ self.splines
        across = np.swapaxes(mixed, 1, 2) @ self.inverse
        squares = ((fading**2 * waves[:, 1]) @ self.squared).reshape(-1, spline, spline)
        # Where rings are wide the background can all but imitate them, and rounding makes what is left negative.
        least = _LEAST * np.trace(squares, axis1=1, axis2=2)[:, None, None] * np.eye(spline)
        heights = squares - across @ mixed + least
        roots = np.linalg.cholesky(heights)
        wanted = np.linalg.solve(roots, (products - across @ self.sums)[:, :, None])[:, :, 0]
        a = np.array([nnls(root.T, one)[0] for root, one in zip(roots, wanted, strict=True)])
        b = self.inverse @ self.sums - (a[:, None] @ across)[:, 0]
        return across, heights, a, b, b @ self.sums + (a * products).sum(axis=1)

    def normal_equations(self, state: _State) -> tuple[Array, Array]:
        """Right-hand side and matrix for a step of the unknowns, the curves following."""
        moments, a, used = state.moments, state.amplitude[:, None], state.used
        ones, waves, slopes = moments[:, 0], moments[:, 1], moments[:, 2:-1]
        of_levels = self.levels.T @ (a * ones[:, 2:-1])
        of_heights = self.splines[:, used].T @ (self.fading.T * a * waves[:, 2:-1]) - state.across[used] @ of_levels
        residual = slopes[:, :, -1] - state.background[:, None] * slopes[:, :, 0] - a * slopes[:, :, 1]
        curvature = np.einsum("r,rij->ij", state.amplitude**2, slopes[:, :, 2:-1])
        curvature -= of_levels.T @ self.inverse @ of_levels
        curvature -= of_heights.T @ np.linalg.solve(state.heights[used][:, used], of_heights)
        return (a * residual).sum(axis=0), curvature

    def result(self, state: _State) -> Fit:
        variance = state.misfit / float(self.data.weights @ self.data.rings.counts)
        noise = variance * self._clustering(state, variance)
        _, curvature = self.normal_equations(state)
        without_rings = self.data.total - float(self.sums @ self.inverse @ self.sums)
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
        order, bounds = rings.by_patch
        curves = np.stack([state.background, state.amplitude, np.sqrt(self.data.weights)], axis=1)
        xp, given = array_module(excess), (excess, waves(rings, self.lens, state.defocus), rings.ring, order)
        if xp is np:
            sums = np.empty(bounds[0].size)
            _residuals(*given, curves, *bounds, sums)
        else:
            sums = added(_CUDA, "residuals", bounds, 1, *given, xp.asarray(curves))[:, 0]
        return max(1.0, float(sums @ sums) / (variance * float(excess.size)))


@lru_cache(maxsize=4)
def _curves(rings: Rings) -> tuple[Array, Array, Array, Array]:
    """Splines of the background and of the height, (ring, spline); products of both, and of the latter's pairs."""
    levels, splines = (spline_basis(rings.frequency, knots) for knots in (KNOTS, _AMPLITUDE_KNOTS))
    mixed, squared = ((one[:, :, None] * splines[:, None]).reshape(len(one), -1) for one in (levels, splines))
    return levels, splines, mixed, squared


@lru_cache(maxsize=2)
def _background(data: Flattened) -> tuple[Array, Array]:
    """Of a background without rings, whatever the defocus: the inverse matrix, and the right-hand side."""
    levels, weights = _curves(data.rings)[0], data.weights
    matrix = levels.T @ ((weights * data.rings.counts)[:, None] * levels)
    return np.linalg.inv(matrix), levels.T @ (weights * data.sums[:, 0])


@lru_cache(maxsize=8)
def _faded(rings: Rings, lens: Lens, thicknesses: bytes) -> Array:
    """`depth_fading`, (thickness, ring): the same are tried of all spectra of a session."""
    return depth_fading(lens, rings.frequency, np.frombuffer(thicknesses)[:, None])


def _vector(defocus: Defocus) -> Array:
    return np.array([defocus.mean, defocus.straight, defocus.diagonal, defocus.phase_shift])


def _inverse(matrix: Array) -> Array:
    """The inverse; infinite where there is none."""
    try:
        return np.linalg.inv(matrix)
    except np.linalg.LinAlgError:
        return np.full_like(matrix, np.inf)


@kernel
def _residuals(
    excess: Array, wave: Array, ring: Array, order: Array, curves: Array, starts: Array, counts: Array, sums: Array
) -> None:
    """Of each patch, what the background and the rings' height leave of its samples, weighted with a third curve."""
    for patch in range(starts.size):
        total = 0.0
        for n in range(starts[patch], starts[patch] + counts[patch]):
            i = order[n]
            background, amplitude, root = curves[ring[i]]
            total += (excess[i] - background - amplitude * wave[i]) * root
        sums[patch] = total
