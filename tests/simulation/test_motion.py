from __future__ import annotations

import numpy as np
import pytest

from emlab.simulation.motion import Motion, draw_trajectory

STILL = {"early": 0.0, "drift": 0.0, "wander": 0.0, "jump": 0.0, "local": 0.0}
PLACES = np.meshgrid(np.linspace(0, 511, 7), np.linspace(0, 255, 5), indexing="ij")


def trajectory(seed=0, frames=20, **motion):
    strength = Motion(**STILL | motion)
    return draw_trajectory(strength, frames, 2.0, (512, 256), 2.0, np.random.default_rng(seed))


def lengths(moving):
    return np.array([np.linalg.norm(moving.whole(frame)) for frame in range(len(moving.path))])


def test_displacement_is_relative_to_the_first_frame():
    moving = trajectory(early=9.0, drift=0.1, wander=0.3, local=4.0)
    assert moving.displacement(0, *PLACES) == pytest.approx(np.zeros((2, 7, 5)), abs=1e-9)
    assert np.abs(moving.displacement(19, *PLACES)).max() > 1.0


def test_a_specimen_at_rest_rests():
    resting = trajectory()
    assert resting.reach() == 0.0


def test_the_start_is_fast_and_ends_where_it_should():
    length = lengths(trajectory(early=10.0))
    assert np.diff(length)[0] > 5 * np.diff(length)[5] > 0
    assert length[-1] == pytest.approx(10.0 / 2.0, rel=0.25)


def test_a_jump_happens_between_two_frames():
    steps = np.diff(lengths(trajectory(jump=14.0, jump_dose=20.0)))
    assert steps.sum() == pytest.approx(7.0, rel=1e-3)
    assert steps.argmax() == 9
    assert steps[9] > 6.0


def test_motion_within_the_field_has_its_strength_and_differs_from_place_to_place():
    moving = trajectory(local=6.0)
    y, x = np.meshgrid(np.linspace(0, 511, 9), np.linspace(0, 255, 9), indexing="ij")
    last = moving.within(19, y, x)
    assert np.sqrt((last**2).sum(axis=0).mean()) == pytest.approx(3.0)
    assert last.std(axis=(1, 2)).max() > 0.3
    assert np.abs(last).max() <= moving.reach() <= 1.2 * np.abs(last).max() + 0.1


def test_no_cubic_polynomial_in_time_describes_the_path():
    moving = trajectory(early=7.0, drift=0.06, wander=0.12)
    path = np.array([moving.whole(frame) for frame in range(20)])
    time = np.arange(20.0)
    basis = np.stack([time, time**2, time**3], axis=1)
    fitted = basis @ np.linalg.lstsq(basis, path, rcond=None)[0]
    assert np.sqrt(((path - fitted) ** 2).sum(axis=1).mean()) > 0.1


def test_the_same_random_numbers_give_the_same_path():
    assert np.array_equal(trajectory(3, wander=1.0).path, trajectory(3, wander=1.0).path)
    assert not np.array_equal(trajectory(3, wander=1.0).path, trajectory(4, wander=1.0).path)
