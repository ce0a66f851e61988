from __future__ import annotations

import numpy as np
import pytest

from emlab.simulation.detector import build_detector, count


@pytest.mark.parametrize("expected", [0.0, 0.05, 4.0, 90.0])
def test_counts_have_the_mean_and_the_variance_of_electrons(expected):
    counts = count(np.full((300, 300), expected, np.float32), np.random.default_rng(0))[1:, 1:].astype(float)
    margin = 6 * np.sqrt(max(expected, 1e-9) / counts.size)
    assert counts.mean() == pytest.approx(expected, abs=margin)
    assert counts.var() == pytest.approx(expected, rel=0.05, abs=1e-9)


def test_noise_is_shared_between_neighbours_and_not_further():
    counts = count(np.full((400, 400), 5.0, np.float32), np.random.default_rng(1)) - 5.0
    beside = (counts[5:, 5:-1] * counts[5:, 6:]).mean() / 5.0
    below = (counts[5:-1, 5:] * counts[6:, 5:]).mean() / 5.0
    apart = (counts[5:, 5:-3] * counts[5:, 8:]).mean() / 5.0
    assert beside == pytest.approx(0.04, abs=0.012)
    assert below == pytest.approx(0.04, abs=0.012)
    assert abs(apart) < 0.012


def test_the_gain_reference_multiplies_counts_to_electrons_but_for_dead_and_hot_pixels():
    detector = build_detector((256, 256), 3)
    rng = np.random.default_rng(2)
    raw = sum(detector.read(np.full((256, 256), 5.0, np.float32), rng).astype(float) for _ in range(20)) / 20
    dead, hot = detector.gain_reference == 0, detector.hot > 0
    assert np.all(raw[dead] == 0)
    assert raw[hot].min() > 2 * raw[~hot].mean()
    assert dead.sum() > 256
    good = ~(dead | hot | np.roll(hot, 1, 0) | np.roll(hot, 1, 1))
    corrected = (raw * detector.gain_reference)[good]
    assert corrected.mean() == pytest.approx(5.0, rel=0.01)
    assert corrected.std() < 0.97 * raw[good].std()


def test_frames_do_not_overflow():
    detector = build_detector((64, 64))
    assert detector.read(np.full((64, 64), 400.0, np.float32), np.random.default_rng(0)).max() == 255
