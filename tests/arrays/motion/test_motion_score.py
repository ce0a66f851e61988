from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from emlab.arrays.fft import rfft2
from emlab.arrays.motion.band import Band, make_band
from emlab.arrays.motion.covariance import model_covariance, second_moments
from emlab.arrays.motion.score import align, score

SHAPE, FRAMES = (64, 80), 6


@pytest.fixture
def band() -> Band:
    return make_band(SHAPE, 0.3)


@pytest.fixture
def samples(band: Band) -> np.ndarray:
    """A specimen and noise of the same power in each frame."""
    rng = np.random.default_rng(0)
    specimen = rng.normal(size=SHAPE)
    frames = (specimen + rng.normal(size=(FRAMES, *SHAPE))).astype(np.float32)
    return np.ascontiguousarray(rfft2(frames)[:, band.row, band.column] / np.float32(np.sqrt(SHAPE[0] * SHAPE[1])))


@pytest.fixture
def weights(samples: np.ndarray, band: Band) -> np.ndarray:
    return model_covariance(second_moments(samples, band)[None], band, 1.0).weights


def likelihood(aligned: np.ndarray, band: Band, weights: np.ndarray) -> float:
    """Σ Yᴴ·weights·Y."""
    parts = zip(band.rings, weights.astype(complex), strict=True)
    return float(
        sum(np.einsum("fs,fg,gs->", aligned[:, ring].conj(), weight, aligned[:, ring]).real for ring, weight in parts)
    )


def test_samples_of_a_displaced_frame_are_turned_back(band: Band) -> None:
    frame = np.random.default_rng(1).random(SHAPE).astype(np.float32)
    seen = np.stack([frame, np.roll(frame, (3, -5), (0, 1))])
    samples = rfft2(seen)[:, band.row, band.column]
    aligned = align(samples, band, np.array([[0.0, 0.0], [3.0, -5.0]]))
    np.testing.assert_allclose(aligned[1], samples[0], atol=1e-2)


def test_the_gradient_is_that_of_the_likelihood(samples: np.ndarray, band: Band, weights: np.ndarray) -> None:
    rng = np.random.default_rng(2)
    shifts = rng.normal(0.0, 0.4, (FRAMES, 2))
    gradient = score(align(samples, band, shifts), band, weights)
    step = rng.normal(0.0, 0.01, (FRAMES, 2))
    ahead = likelihood(align(samples, band, shifts + step), band, weights)
    behind = likelihood(align(samples, band, shifts - step), band, weights)
    assert (ahead - behind) / 2 == pytest.approx((gradient * step).sum(), rel=0.01)


def test_aligned_frames_are_likelier(samples: np.ndarray, band: Band, weights: np.ndarray) -> None:
    still = likelihood(samples, band, weights)
    for frame in range(FRAMES):
        shifts = np.zeros((FRAMES, 2))
        shifts[frame] = 0.7, -0.7
        moved = align(samples, band, shifts)
        assert likelihood(moved, band, weights) < still
        assert (score(moved, band, weights)[frame] * (-1, 1) > 0).all()


def test_shifting_all_frames_together_changes_nothing(samples: np.ndarray, band: Band, weights: np.ndarray) -> None:
    gradient, moved = score(samples, band, weights), align(samples, band, np.full((FRAMES, 2), 2.3))
    np.testing.assert_allclose(score(moved, band, weights), gradient, atol=1e-3 * np.abs(gradient).max())
    np.testing.assert_allclose(gradient.sum(axis=0), 0.0, atol=1e-3 * np.abs(gradient).max())


def test_the_same_on_a_card(samples: np.ndarray, band: Band, weights: np.ndarray, card: Any) -> None:
    shifts = np.random.default_rng(3).normal(0.0, 0.5, (FRAMES, 2))
    here, there = align(samples, band, shifts), align(card.asarray(samples), band, shifts)
    np.testing.assert_allclose(there.get(), here, atol=1e-4)
    gradient = score(here, band, weights)
    np.testing.assert_allclose(score(there, band, weights), gradient, atol=1e-4 * np.abs(gradient).max())
    np.testing.assert_allclose(second_moments(there, band), second_moments(here, band), rtol=1e-4, atol=1e-5)
