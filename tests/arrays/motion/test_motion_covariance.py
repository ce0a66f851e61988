from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import nnls

from emlab.arrays.motion.band import make_band
from emlab.arrays.motion.covariance import _two_powers, model_covariance, second_moments
from emlab.arrays.motion.score import align, score

SHAPE, FRAMES = (96, 96), 10
BAND = make_band(SHAPE, 0.35)


def drawn(signal: float, shaken: float, memory: float, rng: np.random.Generator) -> np.ndarray:
    """Aligned samples with unit noise, a signal that stays and one that fades."""

    def white() -> np.ndarray:
        parts = rng.normal(size=(2, BAND.frequency.shape[1]))
        return (parts[0] + 1j * parts[1]) / np.sqrt(2)

    stays, fading, frames = np.sqrt(signal) * white(), white(), []
    for _ in range(FRAMES):
        frames.append(stays + np.sqrt(shaken) * fading + white())
        fading = memory * fading + np.sqrt(1 - memory**2) * white()
    return np.array(frames, np.complex64)


def modelled(samples: np.ndarray, independence: float = 1.0):
    return model_covariance(second_moments(samples, BAND)[None], BAND, independence)


@pytest.mark.parametrize(("signal", "shaken"), [(0.3, 0.0), (0.02, 0.3), (0.1, 0.1)])
def test_information_is_the_spread_of_the_score(signal: float, shaken: float) -> None:
    # At the true shifts the covariance of the likelihood's gradient is the information about them.
    rng = np.random.default_rng(4)
    gradients, information = [], []
    for _ in range(60):
        samples = drawn(signal, shaken, 0.75, rng)
        model = modelled(samples)
        gradients.append(score(samples, BAND, model.weights))
        information.append(model.information)
    spread = np.einsum("rfa,rga->fg", gradients, gradients) / (2 * len(gradients))
    expected = np.mean(information, axis=0)
    np.testing.assert_allclose(np.diag(spread), np.diag(expected), rtol=0.35)
    assert np.trace(spread) == pytest.approx(np.trace(expected), rel=0.12)
    np.testing.assert_allclose(expected.sum(axis=1), 0.0, atol=1e-9 * np.trace(expected))


def test_noise_tells_little_and_signal_much() -> None:
    rng = np.random.default_rng(5)
    noise, some, more = (np.trace(modelled(drawn(signal, 0.0, 0.5, rng)).information) for signal in (0.0, 0.1, 0.4))
    assert 4 * noise < some
    assert 3 * some < more


def test_frames_far_apart_share_what_stays_only() -> None:
    rng = np.random.default_rng(6)
    staying = modelled(drawn(0.2, 0.0, 0.5, rng)).information
    fading = modelled(drawn(0.0, 0.6, 0.5, rng)).information
    assert staying[0, -1] / staying[0, 1] == pytest.approx(1.0, abs=0.5)
    assert abs(fading[0, -1] / fading[0, 1]) < 0.1


def test_stronger_patches_count_more() -> None:
    rng = np.random.default_rng(7)
    moments = [second_moments(drawn(signal, 0.0, 0.5, rng), BAND) for signal in (0.05, 0.1, 0.3)]
    strength = model_covariance(np.stack(moments), BAND, 1.0).strength
    assert strength[0] < strength[1] < strength[2]
    assert strength.mean() == pytest.approx(1.0, rel=0.2)


def test_overlap_is_counted_once() -> None:
    samples = drawn(0.2, 0.0, 0.5, np.random.default_rng(8))
    np.testing.assert_allclose(modelled(samples, 0.25).information, 0.25 * modelled(samples).information)


def test_the_model_is_of_aligned_frames() -> None:
    samples = drawn(0.3, 0.0, 0.5, np.random.default_rng(9))
    apart = align(samples, BAND, np.random.default_rng(1).normal(0, 2.0, (FRAMES, 2)))
    assert np.trace(modelled(apart).information) < 0.3 * np.trace(modelled(samples).information)


@pytest.mark.parametrize("points", [1, 2, 12])
def test_two_powers_are_those_of_nonnegative_least_squares(points: int) -> None:
    rng = np.random.default_rng(points)
    curves = np.stack([np.ones(points), 0.8 ** np.arange(points)])
    for mean in (-0.5, 0.0, 0.5):
        wanted = rng.normal(mean, 1.0, (40, points))
        powers, left = _two_powers(curves, wanted)
        assert powers.min() >= 0.0
        expected = [nnls(curves.T, row) for row in wanted]
        np.testing.assert_allclose(left, [rest**2 for _, rest in expected], atol=1e-9)
        if points > 1:
            np.testing.assert_allclose(powers, [power for power, _ in expected], atol=1e-9)
