from __future__ import annotations

import numpy as np
import pytest

from emlab.arrays.motion.prior import combine, heavy_tailed

FRAMES = 30
STEADY = np.ones(FRAMES)


def walk(strength: float, persistence: float, rng: np.random.Generator, terms: int = 1) -> np.ndarray:
    """Displacements relative to the first frame: (axis, term, frame − 1)."""
    velocity = rng.normal(size=(2, terms, FRAMES)) * strength
    velocity[:, :, 0] /= np.sqrt(1 - persistence**2)
    for frame in range(1, FRAMES):
        velocity[:, :, frame] += persistence * velocity[:, :, frame - 1]
    return velocity.cumsum(axis=2)


def told(truth: np.ndarray, sigma: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Information that frames with errors of ``sigma`` give, and what they pull to."""
    information = np.eye(FRAMES) / sigma**2
    return (truth + rng.normal(0, sigma, truth.shape)) / sigma**2, information


def test_frames_that_know_are_believed() -> None:
    rng = np.random.default_rng(0)
    truth = walk(0.3, 0.6, rng)
    pull, information = told(truth, 1e-3, rng)
    posterior = combine(pull, np.ones((1, 1)), information, np.ones(1), STEADY)
    np.testing.assert_allclose(posterior.mean, truth, atol=5e-3)
    assert posterior.strength == pytest.approx(0.3, rel=0.5)


def test_smoothing_takes_errors_away_as_it_says() -> None:
    rng = np.random.default_rng(1)
    errors, claimed, raw = [], [], []
    for _ in range(20):
        truth = walk(0.03, 0.9, rng)
        pull, information = told(truth, 0.3, rng)
        posterior = combine(pull, np.ones((1, 1)), information, np.ones(1), STEADY)
        errors.append(((posterior.mean - truth) ** 2).mean())
        claimed.append(posterior.variance.mean())
        raw.append(((pull * 0.09 - truth) ** 2).mean())
    assert np.mean(errors) < 0.35 * np.mean(raw)
    assert np.mean(errors) == pytest.approx(np.mean(claimed), rel=0.5)


def test_what_is_not_there_is_not_found() -> None:
    rng = np.random.default_rng(2)
    pull, information = told(np.zeros((2, 5, FRAMES)), 0.5, rng)
    posterior = combine(pull, np.eye(5), information, 0.5 ** np.arange(5), STEADY)
    assert np.sqrt((posterior.mean**2).mean()) < 0.1


def test_several_terms_are_solved_together() -> None:
    rng = np.random.default_rng(3)
    truth = walk(0.2, 0.8, rng, terms=3)
    spatial = np.array([[2.0, 0.7, 0.0], [0.7, 1.0, 0.3], [0.0, 0.3, 1.5]])
    information = np.eye(FRAMES) / 0.01**2
    pull = np.einsum("bd,adf,fg->abg", spatial, truth, information)
    posterior = combine(pull, spatial, information, np.array([1.0, 0.5, 0.5]), STEADY)
    np.testing.assert_allclose(posterior.mean, truth, atol=0.02)


def test_a_settled_prior_stays() -> None:
    rng = np.random.default_rng(4)
    first = combine(*told(walk(0.3, 0.6, rng), 0.1, rng)[:1], np.ones((1, 1)), np.eye(FRAMES) * 100, np.ones(1), STEADY)
    pull, information = told(walk(3.0, 0.0, rng), 0.1, rng)
    again = combine(pull, np.ones((1, 1)), information, np.ones(1), STEADY, first)
    assert (again.strength, again.persistence) == (first.strength, first.persistence)


def test_a_jump_is_let_through() -> None:
    rng = np.random.default_rng(5)
    truth = walk(0.02, 0.8, rng)
    truth[:, :, 15:] += 7.0
    pull, information = told(truth, 0.2, rng)
    steadiness, errors = STEADY, []
    for _ in range(6):
        posterior = combine(pull, np.ones((1, 1)), information, np.ones(1), steadiness)
        errors.append(np.sqrt(((posterior.mean - truth) ** 2).mean()))
        steadiness = heavy_tailed(posterior.innovations, steadiness)
    assert int(np.argmax(steadiness)) in (15, 16)
    assert errors[-1] < 0.7 * errors[0]
    assert errors[-1] < 0.13
