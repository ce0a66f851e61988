"""The defocus that explains a flattened power spectrum best."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from emlab.arrays.ctf.background import KNOTS, Flattened, spline_basis
from emlab.arrays.ctf.model import Defocus, Lens, depth_fading, phase_delay
from emlab.arrays.cuda import Cuda
from emlab.arrays.module import array_module, to_host

Array = NDArray[Any]

_CUDA: Final = Cuda(__file__)
_LANES: Final = 32
"""Threads that share a ring."""
_PAIRS: Final = {count: np.tril_indices(count) for count in (6, 7)}
_AMPLITUDE_KNOTS: Final = np.arange(0.04, 1.0, 0.04)
"""1/Å; the rings' amplitude changes slowly."""
_ITERATIONS: Final = 20
_CONVERGED: Final = 0.2
"""Å (of defocus) and degrees (of phase shift); a smaller step ends the fit."""
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
    vector = np.array([start.mean, start.straight, start.diagonal, start.phase_shift])
    state = problem.curves(vector)
    damping = 1e-3
    for _ in range(_ITERATIONS if state.used.size else 0):
        slope, curvature = problem.normal_equations(state)
        step = np.zeros(4)
        step[: slope.size] = np.linalg.solve(curvature + damping * np.diag(np.diag(curvature)), slope)
        if np.abs(step).max() < _CONVERGED:
            break
        trial = problem.curves(vector + step)
        if trial.misfit <= state.misfit:
            vector, state, damping = vector + step, trial, damping / 5.0
        else:
            damping = max(10.0 * damping, 1e-3)
    return problem.result(vector, state)


def misfits(data: Flattened, lens: Lens, defocus: Defocus, thicknesses: Array, *, inverted: bool = True) -> Array:
    """(thickness,) weighted sum of squared residuals in ice of these thicknesses (Å), the defocus as it is.

    Parameters
    ----------
    inverted
        Whether the rings return behind a node, inverted; else they end there.
    """
    problem = _Problem(data, lens, False, 0.0)
    heights = np.stack([problem.faded(float(thickness), inverted=inverted) for thickness in thicknesses])
    return problem.total - problem.explained(problem.moments(defocus), heights)[2]


@dataclass(frozen=True)
class _State:
    """Both curves at their best for one defocus."""

    moments: Array
    background: Array
    amplitude: Array
    used: Array
    misfit: float


class _Problem:
    """Least squares for one spectrum; a ring's moments are Σ vᵢvⱼ of v = (1, t, ∂t/∂unknowns, excess), t = −cos 2χ."""

    def __init__(self, data: Flattened, lens: Lens, with_phase: bool, thickness: float) -> None:
        self.data, self.lens, self.with_phase = data, lens, with_phase
        self.levels = spline_basis(data.rings.frequency, KNOTS)
        self.thickness, self.heights = thickness, self.faded(thickness)
        self.total = float(data.weights @ data.rings.sums(data.excess**2))
        self.vectors = array_module(data.excess).empty((7 if with_phase else 6, data.excess.size), np.float32)
        self.vectors[-1] = data.excess

    def faded(self, thickness: float, *, inverted: bool = True) -> Array:
        """Splines of the rings' height: they fade and return, or only fade, as rings do in ice of a thickness (Å)."""
        frequency = self.data.rings.frequency
        fading = depth_fading(self.lens, frequency, thickness)
        if not inverted:
            fading = np.where(np.logical_and.accumulate(fading > 0), fading, 0.0)
        return spline_basis(frequency, _AMPLITUDE_KNOTS) * fading[:, None]

    def curves(self, vector: Array) -> _State:
        """Both curves at their best for a defocus."""
        moments = self.moments(Defocus(*vector.tolist()))
        (a,), (b,), (explained,) = self.explained(moments, self.heights[None])
        used = self.heights[:, a > 0]
        return _State(moments, self.levels @ b, self.heights @ a, used, self.total - float(explained))

    def explained(self, moments: Array, heights: Array) -> tuple[Array, Array, Array]:
        """What several choices of splines for the rings' height, (choice, ring, spline), make of a defocus's moments.

        Each one's coefficients of the height (choice, spline) and of the background (choice, level), and by how much
        they lower the sum of squares (choice,).
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
        return a, b, b @ sums + (a * products).sum(axis=1)

    def normal_equations(self, state: _State) -> tuple[Array, Array]:
        """Right-hand side and matrix for a step of the unknowns, the curves following."""
        moments, a = state.moments, state.amplitude[:, None]
        ones, waves, slopes = moments[:, 0], moments[:, 1], moments[:, 2:-1]
        used = state.used
        corner = _product(self.levels, ones[:, 1], used)
        linear = np.block(
            [[_product(self.levels, ones[:, 0], self.levels), corner], [corner.T, _product(used, waves[:, 1], used)]]
        )
        mixed = np.vstack([self.levels.T @ (a * ones[:, 2:-1]), used.T @ (a * waves[:, 2:-1])])
        residual = slopes[:, :, -1] - state.background[:, None] * slopes[:, :, 0] - a * slopes[:, :, 1]
        curvature = np.einsum("r,rij->ij", state.amplitude**2, slopes[:, :, 2:-1])
        return (a * residual).sum(axis=0), curvature - mixed.T @ np.linalg.lstsq(linear, mixed, rcond=None)[0]

    def result(self, vector: Array, state: _State) -> Fit:
        rings, weights = self.data.rings, self.data.weights
        defocus = Defocus(*vector.tolist())
        wave = -np.cos(2.0 * phase_delay(self.lens, rings.squares, rings.cosines, rings.sines, defocus))
        residual = self.data.excess - rings.spread(state.background) - rings.spread(state.amplitude) * wave
        variance = state.misfit / float(weights @ rings.counts)
        noise = variance * _clustering(residual * rings.spread(np.sqrt(weights)), rings.patches, variance)
        _, curvature = self.normal_equations(state)
        sums = self.levels.T @ state.moments[:, 0, -1]
        normal = _product(self.levels, state.moments[:, 0, 0], self.levels)
        without_rings = self.total - float(sums @ np.linalg.solve(normal, sums))
        return Fit(
            defocus=defocus,
            covariance=_inverse(curvature) * noise,
            background=state.background,
            amplitude=state.amplitude,
            gain=(without_rings - state.misfit) / noise,
            misfit=state.misfit,
            noise=noise,
            thickness=self.thickness,
        )

    def moments(self, defocus: Defocus) -> Array:
        moments = self._moments_on_card(defocus) if array_module(self.vectors) is not np else self._moments(defocus)
        moments *= self.data.weights[:, None, None]
        return moments

    def _moments_on_card(self, defocus: Defocus) -> Array:
        rings, excess, lens = self.data.rings, self.data.excess, self.lens
        xp, count, number = array_module(excess), len(self.vectors), rings.counts.size
        given = rings.squares, rings.cosines, rings.sines, excess, *rings.bounds
        phase = lens.contrast_phase + math.radians(defocus.phase_shift)
        shape = lens.wavelength, 0.5 * lens.spherical_aberration * lens.wavelength**2, phase
        unknowns = defocus.mean, defocus.straight, defocus.diagonal
        left, right = _PAIRS[count]
        parts = xp.empty((number, left.size, _LANES), np.float64)
        numbers = map(float, (*shape, *unknowns))
        _CUDA("moments", (number, _LANES), *given, number, _LANES, *numbers, self.with_phase, parts)
        moments = np.empty((number, count, count))
        moments[:, left, right] = moments[:, right, left] = to_host(parts.sum(axis=-1))
        return moments

    def _moments(self, defocus: Defocus) -> Array:
        rings, vectors = self.data.rings, self.vectors
        angle = 2.0 * phase_delay(self.lens, rings.squares, rings.cosines, rings.sines, defocus)
        ones, wave, by_mean, by_straight, by_diagonal, *by_phase, _ = vectors
        ones[:] = 1.0
        np.negative(np.cos(angle, out=wave), out=wave)
        sine = 2.0 * np.sin(angle, out=angle)
        np.multiply(sine, rings.squares, out=by_mean)
        by_mean *= math.pi * self.lens.wavelength
        np.multiply(0.5 * by_mean, rings.cosines, out=by_straight)
        np.multiply(0.5 * by_mean, rings.sines, out=by_diagonal)
        if by_phase:
            np.multiply(sine, math.radians(1.0), out=by_phase[0])
        moments = np.empty((rings.counts.size, len(vectors), len(vectors)))
        product = np.empty_like(ones)
        for i, left in enumerate(vectors):
            for j, right in enumerate(vectors[: i + 1]):
                np.multiply(left, right, out=product)
                moments[:, i, j] = moments[:, j, i] = rings.sums(product)
        return moments


def _product(left: Array, weights: Array, right: Array) -> Array:
    product: Array = left.T @ (weights[:, None] * right)
    return product


def _inverse(matrix: Array) -> Array:
    """The inverse; infinite where there is none."""
    try:
        return np.linalg.inv(matrix)
    except np.linalg.LinAlgError:
        return np.full_like(matrix, np.inf)


def _clustering(residual: Array, patches: Array, variance: float) -> float:
    """How much larger the variance of sums over patches is than that of as many independent samples.

    Neighbouring samples of a windowed spectrum are alike (a Hann window makes this 3.8), and what the model misses
    is alike over more: standard errors must not count each sample as news.
    """
    sums = np.bincount(patches, residual)
    return max(1.0, float(sums @ sums) / (variance * residual.size))
