"""What is known about motion before the frames are seen, its strength learned from the frames themselves."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_PERSISTENCES: Final = (0.3, 0.6, 0.8, 0.9, 0.96)
_STRENGTHS: Final = np.geomspace(1e-3, 10.0, 33)


@dataclass(frozen=True)
class Posterior:
    """Coefficients of the motion as the prior and the frames together have them.

    Attributes
    ----------
    mean
        Float64 (axis, term, frame − 1): relative to the first frame.
    variance
        Of the first term, mean of both axes: float64 (frame − 1,).
    innovations
        What the velocity of the first term changes by, not as its persistence lets expect, and its variance, both axes
        together, relative to the prior's: float64 (frame − 1,).
    persistence, strength
        Of the velocity, and the prior's standard deviation of its changes.
    """

    mean: Array
    variance: Array
    innovations: Array
    persistence: float
    strength: float


def combine(
    pull: Array,
    spatial: Array,
    information: Array,
    ratios: Array,
    steadiness: Array,
    settled: Posterior | None = None,
) -> Posterior:
    """The most probable motion, and the prior that makes the frames most probable.

    Parameters
    ----------
    pull
        Information times what the frames alone say: float64 (axis, term, frame − 1).
    spatial
        Information about pairs of terms, relative: float64 (term, term).
    information
        About pairs of frames: float64 (frame − 1, frame − 1), 1/px².
    ratios
        Prior standard deviation of each term over the first's: float64 (term,).
    steadiness
        Factor of the prior's standard deviation at each frame: float64 (frame − 1,).
    settled
        Whose persistence and strength are taken; those with the greatest evidence if ``None``.

    Notes
    -----
    A velocity keeps a part of itself from frame to frame and is pushed at random, an Ornstein–Uhlenbeck process.
    With the coefficients scaled to a white prior, information about terms and about frames is diagonal
    together, so that evidence (empirical Bayes) costs a sum for each strength.
    """
    terms, turn = np.linalg.eigh(ratios[:, None] * spatial * ratios)
    candidates = []
    for persistence in (settled.persistence,) if settled else _PERSISTENCES:
        whiten = _displaced(len(information), persistence) * steadiness
        modes, spin = np.linalg.eigh(whiten.T @ information @ whiten)
        back = whiten @ spin
        rates = np.maximum(np.outer(terms, modes), 0.0)
        data = turn.T @ (pull * ratios[:, None]) @ back
        strengths = np.array([settled.strength]) if settled else _STRENGTHS
        precisions = rates + strengths[:, None, None] ** -2
        gains = 0.5 * ((data**2).sum(axis=0) / precisions).sum(axis=(1, 2))
        evidences = gains - np.log1p(strengths[:, None, None] ** 2 * rates).sum(axis=(1, 2))
        best = int(evidences.argmax())
        candidates.append((evidences[best], _Modes(persistence, float(strengths[best]), back, spin, rates, data)))
    return max(candidates, key=lambda candidate: candidate[0])[1].posterior(turn, ratios)


@dataclass(frozen=True)
class _Modes:
    """The problem where prior and information are diagonal: modes of terms (t) and of frames (m)."""

    persistence: float
    strength: float
    back: Array
    spin: Array
    rates: Array
    data: Array

    def posterior(self, turn: Array, ratios: Array) -> Posterior:
        precision = self.rates + self.strength**-2
        white = self.data / precision
        share = turn[0] ** 2
        pushed = turn[0] @ white @ self.spin.T
        spread = np.einsum("t,fm,tm->f", share, self.spin**2, 1.0 / precision)
        return Posterior(
            mean=turn @ white @ self.back.T * ratios[:, None],
            variance=np.einsum("t,fm,tm->f", share * ratios[0] ** 2, self.back**2, 1.0 / precision),
            innovations=((pushed**2).sum(axis=0) + 2 * spread) / self.strength**2,
            persistence=self.persistence,
            strength=self.strength,
        )


def heavy_tailed(innovations: Array, steadiness: Array) -> Array:
    """Factors of the prior's standard deviation that let single frames jump: float64 (frame − 1,).

    Notes
    -----
    One step of expectation–maximisation for Student's t of 4 degrees of freedom in two dimensions. The geometric
    mean is kept at 1, for the strength is the evidence's to choose.
    """
    freedom = 4.0
    squares = innovations * steadiness**2
    scale = np.sqrt((freedom + squares) / (freedom + 2.0))
    return scale / np.exp(np.log(scale).mean())  # type: ignore[no-any-return]


@lru_cache(maxsize=32)
def _displaced(count: int, persistence: float) -> Array:
    """Pushes of the velocity, of equal variance → displacements relative to the first frame: (frame − 1, push)."""
    velocity = np.eye(count) - np.eye(count, k=-1)
    push = np.eye(count) - persistence * np.eye(count, k=-1)
    push[0] *= np.sqrt(1.0 - persistence**2)
    return np.linalg.inv(push @ velocity)
