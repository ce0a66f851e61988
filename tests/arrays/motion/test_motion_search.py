from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from emlab.arrays.fft import rfft2
from emlab.arrays.motion.search import disagreement, find_trajectory

SHAPE = 160, 192


def drift(frames: int, per_frame: float) -> np.ndarray:
    return np.outer(np.arange(frames), (per_frame, -0.6 * per_frame))


def jump(frames: int) -> np.ndarray:
    shifts = 0.2 * drift(frames, 1.0)
    shifts[frames // 2 :] += (5.0, 5.0)
    return shifts


@pytest.mark.parametrize(
    ("shifts", "dose"),
    [(drift(12, 0.0), 1.0), (drift(12, 0.4), 1.0), (drift(16, 4.0), 1.0), (jump(12), 1.0), (drift(24, 0.3), 0.15)],
    ids=["rest", "drift", "60 px", "jump", "low dose"],
)
def test_frames_are_found_to_a_pixel(film: Any, shifts: np.ndarray, dose: float) -> None:
    frames = film(SHAPE, shifts, dose=dose, seed=3).astype(np.float32)
    found = find_trajectory(rfft2(frames), SHAPE[1])
    np.testing.assert_array_equal(found[0], 0.0)
    assert np.abs(found - shifts).max() < 1.3


def test_uneven_illumination_does_not_hold_frames_back(film: Any) -> None:
    shifts = drift(10, 2.0)
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    frames = film(SHAPE, shifts, dose=0.5, contrast=0.2, seed=2) * (
        1.0 + 4.0 * x / SHAPE[1] - 0.5 * (y / SHAPE[0]) ** 2
    )
    assert np.abs(find_trajectory(rfft2(frames.astype(np.float32)), SHAPE[1]) - shifts).max() < 1.5


def test_a_specimen_that_the_beam_shakes_up_is_followed() -> None:
    # Ice: a frame resembles those around it, and nothing is left of the first in the last.
    rng, shifts = np.random.default_rng(0), np.outer(np.arange(18), (4.0, -4.0))
    specimen, frames = np.zeros(SHAPE), []
    for shift in shifts.astype(int):
        fresh = gaussian_filter(rng.normal(size=SHAPE), 1.5, mode="wrap")
        specimen = 0.6 * specimen + 0.8 * fresh / fresh.std()
        frames.append(rng.poisson(2.0 * np.clip(1.0 + 0.25 * np.roll(specimen, shift, (0, 1)), 0.0, None)))
    found = find_trajectory(rfft2(np.array(frames, np.float32)), SHAPE[1])
    assert np.abs(np.diff(found - shifts, axis=0)).max() < 2.0


def test_frames_that_say_little_are_not_sent_far_away(film: Any) -> None:
    shifts = drift(24, 0.3)
    found = find_trajectory(rfft2(film(SHAPE, shifts, dose=0.07).astype(np.float32)), SHAPE[1])
    assert np.abs(found - shifts).max() < 6.0


def test_a_fast_drift_is_found_that_single_frames_do_not_show(film: Any) -> None:
    shifts = drift(24, 2.4)
    found = find_trajectory(rfft2(film(SHAPE, shifts, dose=0.05, seed=1).astype(np.float32)), SHAPE[1])
    assert np.sqrt(((found - shifts) ** 2).mean()) < 3.0


def test_two_halves_of_the_signal_agree_where_there_is_any(film: Any) -> None:
    shifts = drift(16, 0.5)
    clear, noise = (film(SHAPE, shifts, contrast=contrast).astype(np.float32) for contrast in (0.25, 1e-6))
    assert disagreement(rfft2(clear), SHAPE[1]) < 0.5
    assert disagreement(rfft2(noise), SHAPE[1]) > 3.0


def test_broad_structure_does_not_hide_where_the_fine_one_is(film: Any) -> None:
    shifts = drift(8, 1.3)
    broad = gaussian_filter(np.random.default_rng(0).normal(size=SHAPE), 9, mode="wrap")
    frames = film(SHAPE, shifts, dose=4.0) + 8.0 * broad / broad.std()
    found = find_trajectory(rfft2(frames.astype(np.float32)), SHAPE[1])
    assert np.abs(found - shifts).max() < 0.7


def test_an_empty_frame_is_left_near_its_neighbours(film: Any) -> None:
    shifts = drift(10, 1.0)
    frames = film(SHAPE, shifts).astype(np.float32)
    frames[4] = 0.0
    found = find_trajectory(rfft2(frames), SHAPE[1])
    assert np.abs(found - shifts).max() < 1.5


def test_the_same_on_a_card(film: Any, card: Any) -> None:
    spectra = rfft2(film(SHAPE, drift(6, 1.5)).astype(np.float32))
    here, there = find_trajectory(spectra, SHAPE[1]), find_trajectory(card.asarray(spectra), SHAPE[1])
    np.testing.assert_allclose(there, here, atol=1e-4)
