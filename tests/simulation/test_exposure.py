from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from emlab.simulation import (
    Conditions,
    Flaw,
    Motion,
    Optics,
    Specimen,
    flawed,
    simulate_expected,
    simulate_movie,
    vary,
)

SMALL = Conditions(
    seed=4,
    size=(256, 256),
    frames=6,
    pixel_size=2.0,
    specimen=Specimen(ice_thickness=300.0, particle_density=2500.0),
    optics=Optics(defocus_u=20000.0, defocus_v=20000.0),
)
STILL = Motion(early=0.0, drift=0.0, wander=0.0, local=0.0)
CLEAR = replace(SMALL, dose_per_frame=0.05, specimen=Specimen(ice_thickness=1.0, particle_density=2500.0))


def correlation(first, second):
    return float(np.corrcoef(first.ravel(), second.ravel())[0, 1])


def test_the_same_conditions_give_the_same_movie_and_another_seed_another():
    first, again, other = (simulate_movie(replace(SMALL, seed=seed)).frames for seed in (4, 4, 5))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_frames_have_the_counts_that_dose_pixels_and_ice_give():
    movie = simulate_movie(SMALL)
    assert movie.frames.shape == (6, 256, 256)
    assert movie.frames.dtype == np.uint8
    electrons = movie.truth.mean_electrons
    assert electrons == pytest.approx(2.0 * 4.0 * np.exp(-300 / 3950))
    corrected = movie.frames * movie.gain_reference
    good = np.ones((256, 256), bool)
    good[tuple(movie.truth.hot_pixels.T)] = good[tuple(movie.truth.dead_pixels.T)] = False
    assert corrected[:, good].mean() == pytest.approx(electrons, rel=0.02)


def test_a_frame_moved_by_minus_its_shift_is_the_first_frame():
    moving = replace(CLEAR, motion=Motion(early=16.0, early_dose=0.1, drift=0.0, wander=0.0, local=0.0))
    frames, truth = simulate_expected(moving)
    shift = np.array([truth.shift_y[-1], truth.shift_x[-1]])
    assert np.abs(shift).max() > 3
    rows, columns = np.fft.fftfreq(256)[:, None], np.fft.fftfreq(256)[None, :]
    ramp = np.exp(2j * np.pi * (rows * shift[0] + columns * shift[1]))
    back = np.fft.ifft2(np.fft.fft2(frames[-1]) * ramp).real
    inside = np.s_[16:-16, 16:-16]
    assert correlation(back[inside], frames[0][inside]) > 0.98
    assert correlation(frames[-1][inside], frames[0][inside]) < 0.9


def test_what_was_at_a_place_of_the_first_frame_is_seen_at_that_place_plus_its_displacement():
    moving = replace(CLEAR, motion=Motion(early=0.0, drift=0.0, wander=0.0, local=20.0))
    frames, truth = simulate_expected(moving)
    y, x = np.indices((256, 256)).astype(float)
    grid = [y * 8 / 255, x * 8 / 255]
    displacement = [map_coordinates(local[-1], grid, order=3) for local in (truth.local_y, truth.local_x)]
    seen = map_coordinates(frames[-1], [y + displacement[0], x + displacement[1]], order=3)
    inside = np.s_[40:-40, 40:-40]
    assert np.ptp(displacement) > 10
    assert correlation(seen[inside], frames[0][inside]) > 0.98
    assert correlation(frames[-1][inside], frames[0][inside]) < 0.8


def test_the_true_shifts_sharpen_the_sum():
    conditions = replace(SMALL, size=(512, 512), frames=16, motion=Motion(early=20.0, local=0.0))
    movie = simulate_movie(conditions)
    frames = movie.frames * movie.gain_reference
    for y, x in (*movie.truth.hot_pixels, *movie.truth.dead_pixels):
        frames[:, y, x] = movie.truth.mean_electrons
    rows, columns = np.fft.fftfreq(512)[:, None], np.fft.rfftfreq(512)[None, :]
    ring = (np.hypot(rows, columns) > 0.08) & (np.hypot(rows, columns) < 0.2)
    spectra = np.fft.rfft2(frames)
    ramps = [
        np.exp(2j * np.pi * (rows * y + columns * x))
        for y, x in zip(movie.truth.shift_y, movie.truth.shift_x, strict=True)
    ]

    def signal(spectra):
        return (spectra[0::2].sum(axis=0) * spectra[1::2].sum(axis=0).conj()).real[ring].sum()

    assert signal(spectra * ramps) > 1.3 * signal(spectra)


def test_motion_during_a_frame_blurs_it():
    fast = replace(CLEAR, motion=replace(STILL, drift=300.0), frames=2)
    at_rest, blurred = (simulate_expected(c)[0][0] for c in (replace(fast, motion=STILL), fast))
    assert blurred.std() < 0.95 * at_rest.std()


def test_dose_takes_fine_detail_of_particles_first():
    frames, _ = simulate_expected(replace(SMALL, motion=STILL, dose_per_frame=12.0, specimen=CLEAR.specimen))
    power = np.abs(np.fft.rfft2(frames / frames.mean(axis=(1, 2), keepdims=True))) ** 2
    k = np.hypot(np.fft.fftfreq(256)[:, None], np.fft.rfftfreq(256)[None, :]) / 2.0
    kept = [power[-1][ring].sum() / power[0][ring].sum() for ring in ((k > 0.01) & (k < 0.03), (k > 0.1) & (k < 0.15))]
    assert kept[0] > 0.6
    assert kept[1] < 0.1


def test_particles_are_dark_at_the_centres_that_the_truth_tells():
    plate = replace(CLEAR.optics, phase_shift=90.0, defocus_u=5000.0, defocus_v=5000.0)
    frames, truth = simulate_expected(replace(CLEAR, optics=plate, motion=STILL, frames=1))
    y, x = np.indices((256, 256))
    distance = np.min([np.hypot(y - cy, x - cx) for cy, cx, _ in truth.particles], axis=0)
    inside, outside = frames[0][distance < 30], frames[0][distance > 50]
    assert len(truth.particles) > 3
    assert inside.mean() < outside.mean() - 3 * outside.std()


def test_ice_is_remembered_in_coarse_detail_only():
    frames, _ = simulate_expected(replace(SMALL, motion=STILL, specimen=Specimen(particle_density=0.0)))
    first, last = (np.fft.rfft2(frames[n] - frames[n].mean()) for n in (0, 2))
    k = np.hypot(np.fft.fftfreq(256)[:, None], np.fft.rfftfreq(256)[None, :]) / 2.0
    alike = [
        (first * last.conj()).real[ring].sum()
        / np.sqrt((np.abs(first[ring]) ** 2).sum() * (np.abs(last[ring]) ** 2).sum())
        for ring in ((k > 0.02) & (k < 0.06), k > 0.2)
    ]
    assert alike[0] > 0.85
    assert alike[1] < 0.35


@pytest.mark.parametrize("flaw", list(Flaw))
def test_every_flaw_shows(flaw):
    small = replace(SMALL, frames=2, dose_per_frame=15.0)
    good, bad = simulate_expected(small)[0], simulate_expected(flawed(small, flaw))[0]
    assert bad.shape == good.shape
    assert np.all(np.isfinite(bad))
    assert correlation(good[0], bad[0]) < 0.999 or correlation(good[1], bad[1]) < 0.999


def test_a_session_varies_and_every_fourth_movie_has_a_flaw():
    varied = [vary(SMALL, number) for number in range(4 * len(Flaw))]
    defocus = [0.5 * (c.optics.defocus_u + c.optics.defocus_v) for c in varied]
    assert min(defocus) >= 6000.0
    assert max(defocus) <= 25000.0
    assert np.std(defocus) > 3000.0
    assert all(c.optics.defocus_u >= c.optics.defocus_v for c in varied)
    assert [c.flaw for c in varied if c.flaw] == list(Flaw)
    assert varied[3::4] == [c for c in varied if c.flaw]
    assert vary(SMALL, 5) == varied[5]
