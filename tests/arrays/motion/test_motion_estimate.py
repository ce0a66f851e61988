from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from emlab.arrays.motion import Motion, clean_frames, estimate_motion
from emlab.simulation import Conditions, Flaw, SimulatedMovie, flawed, simulate_movie
from emlab.simulation.motion import Motion as TrueMotion

SHAPE = 448, 512


def wander(frames: int, seed: int = 0) -> np.ndarray:
    shifts = np.random.default_rng(seed).normal(0.0, 0.35, (frames, 2)).cumsum(axis=0).cumsum(axis=0) * 0.5
    return shifts - shifts[0]


def errors(found: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """RMS per axis, px, of shifts (frame, yx) when a constant does not matter."""
    difference = found - truth
    return np.sqrt(((difference - difference.mean(axis=0)) ** 2).mean(axis=0))


def field_error(motion: Motion, movie: SimulatedMovie, *, local: bool = True) -> float:
    """RMS over the field of the length of the error, px; what does not change in time blurs nothing."""
    truth = movie.truth
    true = np.stack([truth.local_y, truth.local_x], axis=1)
    found = motion.field.whole[:, :, None, None] + np.zeros_like(true)
    if local:
        found += np.stack([motion.field.local(n, truth.grid_y, truth.grid_x) for n in range(len(true))])
    difference = found - true
    difference -= difference.mean(axis=0)
    return float(np.sqrt((difference**2).sum(axis=1).mean()))


@pytest.mark.parametrize(("dtype", "scale"), [(np.uint8, 1), (np.uint16, 1), (np.float32, 41.5)])
def test_displacements_of_the_specimen_are_found(film: Any, dtype: type, scale: float) -> None:
    shifts = wander(10)
    frames = (film(SHAPE, shifts) * scale).astype(dtype)
    motion = estimate_motion(clean_frames(frames), 1.5)
    assert (errors(motion.field.whole, shifts) < 0.06).all()
    assert motion.is_known
    assert motion.uncertainty < 0.1
    assert motion.residual < 0.1


def test_fine_pixels_are_averaged_first(film: Any) -> None:
    shifts = wander(8, seed=1) * 2
    coarse = film(SHAPE, shifts, dose=0.8)
    fine = np.random.default_rng(0).binomial(coarse.repeat(2, axis=1).repeat(2, axis=2), 0.25).astype(np.uint8)
    motion = estimate_motion(clean_frames(fine), 0.6)
    assert (errors(motion.field.whole, 2 * shifts) < 0.2).all()


def test_motion_within_the_field_is_found(film: Any) -> None:
    y, x = np.meshgrid(*(np.linspace(-1, 1, size) for size in SHAPE), indexing="ij")
    growth = 1 - np.exp(-np.arange(10) / 4)
    within = growth[:, None, None, None] * np.stack([1.5 * y * x, 1.0 * x - 0.5 * y])
    shifts = wander(10, seed=2)
    motion = estimate_motion(clean_frames(film(SHAPE, shifts, within=within).astype(np.uint8)), 1.5)
    assert motion.field.is_local
    places = np.linspace(20, SHAPE[0] - 21, 5), np.linspace(20, SHAPE[1] - 21, 5)
    grid = np.ix_(*(place.astype(int) for place in places))
    last = motion.field.local(9, places[0].round(), places[1].round())
    assert np.abs(last - within[9][(slice(None), *grid)]).max() < 0.35
    assert np.sqrt(((last - within[9][(slice(None), *grid)]) ** 2).mean()) < 0.15


def test_a_field_that_moves_as_one_is_not_bent(film: Any) -> None:
    frames = film(SHAPE, wander(10, seed=3), dose=0.3).astype(np.uint8)
    assert estimate_motion(clean_frames(frames), 1.5).field.largest_local() < 0.08


def test_local_motion_can_be_left_out(film: Any) -> None:
    frames = clean_frames(film(SHAPE, wander(6)).astype(np.uint8))
    assert not estimate_motion(frames, 1.5, local=False).field.is_local
    assert estimate_motion(frames, 1.5, grid=(2, 2)).field.coefficients.shape[1] in (1, 3)


def test_frames_of_noise_stay_where_they_are() -> None:
    noise = np.random.default_rng(0).poisson(1.0, (12, *SHAPE)).astype(np.uint8)
    motion = estimate_motion(clean_frames(noise), 1.0)
    assert not motion.is_known
    assert not motion.field.coefficients.any()


@pytest.mark.parametrize("count", [1, 2, 3])
def test_few_frames(film: Any, count: int) -> None:
    shifts = np.outer(np.arange(count), (1.5, -2.0))
    motion = estimate_motion(clean_frames(film(SHAPE, shifts).astype(np.uint8)), 1.5)
    assert motion.field.whole.shape == (count, 2)
    assert np.abs(motion.field.whole - shifts).max() < 0.2


def test_an_empty_frame_disturbs_nobody(film: Any) -> None:
    shifts = wander(10, seed=4)
    frames = film(SHAPE, shifts).astype(np.uint8)
    frames[5] = 0
    found = estimate_motion(clean_frames(frames), 1.5).field.whole
    assert (errors(np.delete(found, 5, axis=0), np.delete(shifts, 5, axis=0)) < 0.12).all()


@pytest.mark.parametrize("shape", [(64, 90), (129, 257), (301, 211)])
def test_small_and_odd_fields(film: Any, shape: tuple[int, int]) -> None:
    shifts = wander(8, seed=5)
    motion = estimate_motion(clean_frames(film(shape, shifts, dose=2.0).astype(np.uint8)), 1.5)
    assert (errors(motion.field.whole, shifts) < 0.2).all()


@pytest.mark.parametrize("flaw", [None, Flaw.EMPTY, Flaw.CARBON, Flaw.CRYSTALLINE_ICE, Flaw.JUMP, Flaw.DRIFT])
def test_simulated_movies(flaw: Flaw | None) -> None:
    conditions = Conditions(seed=11, size=(768, 768), frames=16, motion=TrueMotion(local=2.0))
    movie = simulate_movie(flawed(conditions, flaw) if flaw else conditions)
    motion = estimate_motion(clean_frames(movie.frames, movie.gain_reference), conditions.pixel_size)
    truth = np.stack([movie.truth.shift_y, movie.truth.shift_x], axis=1)
    assert (errors(motion.field.whole, truth) < (0.25 if flaw is Flaw.EMPTY else 0.12)).all()
    assert field_error(motion, movie) < field_error(motion, movie, local=False) + 0.02
    assert field_error(motion, movie) < 0.45


@pytest.mark.parametrize("dose", [2.0, 0.05])
def test_the_same_on_a_card(film: Any, card: Any, dose: float) -> None:
    y, x = np.meshgrid(np.linspace(-1, 1, 256), np.linspace(-1, 1, 300), indexing="ij")
    within = np.arange(6)[:, None, None, None] / 5 * np.stack([2.0 * y * x, 2.0 * x - 1.0 * y])
    frames = film((256, 300), wander(6), dose=dose, within=within).astype(np.uint8)
    gain = np.ones((256, 300), np.float32)
    gain[10, 20] = 0.0
    here = clean_frames(frames, gain)
    there = clean_frames([card.asarray(frame) for frame in frames], card.asarray(gain))
    np.testing.assert_array_equal(there.replaced, here.replaced)
    found, same = estimate_motion(here, 1.5), estimate_motion(there, 1.5)
    assert found.field.is_local
    np.testing.assert_allclose(same.field.coefficients, found.field.coefficients, atol=1e-3)
    np.testing.assert_allclose(same.disagreement, found.disagreement, atol=1e-2)
