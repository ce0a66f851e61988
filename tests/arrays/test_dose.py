from __future__ import annotations

import numpy as np
import pytest

from emlab.arrays.dose import critical_dose, dose_weights
from emlab.errors import ParameterError

FREQUENCY = np.array([0.0, 1 / 30, 1 / 10, 1 / 5, 1 / 3])


def test_the_published_critical_doses() -> None:
    np.testing.assert_allclose(critical_dose(np.array([1 / 10, 1 / 3]), 300.0), [14.138, 4.336], rtol=1e-3)
    assert critical_dose(np.zeros(1), 300.0) == np.inf


@pytest.mark.parametrize(("voltage", "factor"), [(300.0, 1.0), (200.0, 0.8), (100.0, 0.64), (250.0, 0.9)])
def test_slower_electrons_destroy_more(voltage: float, factor: float) -> None:
    inner = FREQUENCY[1:]
    np.testing.assert_allclose(critical_dose(inner, voltage), factor * critical_dose(inner, 300.0))


@pytest.mark.parametrize("voltage", [0.0, 20.0, 1000.0])
def test_unknown_voltages_are_refused(voltage: float) -> None:
    with pytest.raises(ParameterError, match="80 to 400 kV"):
        dose_weights(FREQUENCY, 3, 1.0, voltage)


def test_noise_stays_white() -> None:
    weights = dose_weights(FREQUENCY, 40, 1.2, 300.0, pre_exposure=3.0)
    assert weights.shape == (40, 5)
    assert weights.dtype == np.float32
    np.testing.assert_allclose((weights**2).sum(axis=0), 1.0, rtol=1e-5)


def test_fine_detail_is_taken_from_early_frames() -> None:
    weights = dose_weights(FREQUENCY, 40, 1.2, 300.0)
    np.testing.assert_allclose(weights[:, 0], 1 / np.sqrt(40), rtol=1e-6)
    assert (np.diff(weights[:, 1:], axis=0) < 0).all()
    assert (weights[0, 1:] > weights[0, :-1]).all()
    assert (weights[-1, 1:] < weights[-1, :-1]).all()


def test_a_frame_is_weighted_by_the_exposure_at_its_end() -> None:
    one = dose_weights(FREQUENCY[3:], 2, 5.0, 300.0, pre_exposure=1.0)
    expected = np.exp(-5.0 / (2 * critical_dose(FREQUENCY[3:], 300.0)))
    np.testing.assert_allclose(one[1] / one[0], expected, rtol=1e-6)
    assert one[0, 1] == pytest.approx(float(dose_weights(FREQUENCY[4:], 2, 5.0, 300.0, pre_exposure=30.0)[0, 0]))
