from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from emlab.arrays.motion import MotionField, motion_tables
from emlab.arrays.motion.field import POWERS, terms_at
from emlab.arrays.motion.relion import local_coefficients

SHAPE, FRAMES = (300, 400), 12


@pytest.fixture
def field() -> MotionField:
    rng = np.random.default_rng(0)
    growth = np.linspace(0.0, 1.0, FRAMES) ** 0.5
    return MotionField(rng.normal(size=(2, len(POWERS), 1)) * growth, SHAPE)


def test_motion_within_the_field_has_no_mean(field: MotionField) -> None:
    y, x = np.arange(SHAPE[0]), np.arange(SHAPE[1])
    local = field.local(FRAMES - 1, y, x)
    assert local.shape == (2, *SHAPE)
    assert np.abs(local).max() > 0.5
    np.testing.assert_allclose(local.mean(axis=(1, 2)), 0.0, atol=1e-3)
    assert np.abs(local).max() == pytest.approx(field.largest_local(), rel=0.1)


def test_a_place_has_the_same_motion_however_it_is_asked_for(field: MotionField) -> None:
    y, x = np.array([20.0]), np.array([333.0])
    place = np.array([[(2 * 20 + 1) / SHAPE[0] - 1, (2 * 333 + 1) / SHAPE[1] - 1]])
    whole = terms_at(place, len(POWERS)) @ field.coefficients[:, :, 5].T
    np.testing.assert_allclose(field.whole[5] + field.local(5, y, x)[:, 0, 0], whole[0])


def test_the_same_on_a_card(field: MotionField, card: Any) -> None:
    y, x = np.arange(0.0, 300.0, 8.0), np.arange(0.0, 400.0, 16.0)
    there = field.local_on(y, x, card)
    for frame in (0, FRAMES - 1):
        np.testing.assert_allclose(there(frame).get(), field.local(frame, y, x), atol=1e-12)


def test_y_is_y() -> None:
    coefficients = np.zeros((2, 3, 2))
    coefficients[0, 1, 1] = 4.0
    field = MotionField(coefficients, SHAPE)
    assert field.is_local
    grown = field.local(1, np.array([0.0, 299.0]), np.array([0.0, 399.0]))
    np.testing.assert_allclose(grown[0], [[-4.0, -4.0], [4.0, 4.0]], rtol=0.01)
    np.testing.assert_allclose(grown[1], 0.0)


def test_relion_reads_shifts_that_align_in_its_own_polynomial() -> None:
    # RELION: shift = Σ (a t + b t² + c t³) · {1, x, x², y, y², xy}, x and y from −0.5 to 0.5, X before Y.
    wanted = np.zeros((2, 6, 3))
    wanted[0, 1] = [0.3, -0.02, 0.001]
    wanted[1, 4] = [-0.2, 0.01, 0.0]
    wanted[1, 5, 0] = 0.4
    time = np.arange(FRAMES)[:, None] ** np.arange(1, 4)
    coefficients = np.zeros((2, 6, FRAMES))
    # Displacement, minus the shift, in Legendre polynomials of twice the place; y² = ((2y)² P2 + 1/2)/… by parts.
    coefficients[1, 2] = -(time @ wanted[0, 1]) / 2
    coefficients[0, 3] = -(time @ wanted[1, 4]) / 6
    coefficients[0, 4] = -(time @ wanted[1, 5]) / 4
    found = local_coefficients(MotionField(coefficients, SHAPE)).reshape(2, 6, 3)
    # The mean of y² over the field, 1/12, is motion of the whole and not in the local part.
    np.testing.assert_allclose(found[1, 0], -wanted[1, 4] / 12, atol=1e-6)
    found[1, 0] = 0.0
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_tables_are_those_of_relion(field: MotionField) -> None:
    tables = motion_tables(field, {"rlnVoltage": 300.0}, 3, np.array([[5, 7], [6, 8]]))
    assert list(tables) == ["general", "global_shift", "local_motion_model", "hot_pixels"]
    assert tables["general"] == {"rlnVoltage": 300.0, "rlnMicrographStartFrame": 3, "rlnMotionModelVersion": 1}
    assert tables["global_shift"]["rlnMicrographFrameNumber"] == list(range(3, 3 + FRAMES))
    np.testing.assert_allclose(tables["global_shift"]["rlnMicrographShiftX"], -field.whole[:, 1], atol=1e-4)
    np.testing.assert_allclose(tables["global_shift"]["rlnMicrographShiftY"], -field.whole[:, 0], atol=1e-4)
    assert tables["local_motion_model"]["rlnMotionModelCoeffsIdx"] == list(range(36))
    assert tables["hot_pixels"] == {"rlnCoordinateX": [7, 8], "rlnCoordinateY": [5, 6]}


def test_without_local_motion_there_is_no_model() -> None:
    whole = MotionField(np.zeros((2, 1, 4)), SHAPE)
    tables = motion_tables(whole, {}, 1, np.empty((0, 2), np.int64))
    assert list(tables) == ["general", "global_shift"]
    assert tables["general"]["rlnMotionModelVersion"] == 0
    assert str(tables["global_shift"]["rlnMicrographShiftX"]) == "[0.0, 0.0, 0.0, 0.0]"
