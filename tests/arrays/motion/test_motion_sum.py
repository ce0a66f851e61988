from __future__ import annotations

from typing import Any

import ducc0
import numpy as np
import pytest

from emlab.arrays.dose import dose_weights
from emlab.arrays.fft import fast_length, irfft2, rfft2
from emlab.arrays.motion import CleanFrames, Dose, MotionField, clean_frames, sum_frames
from emlab.arrays.motion.band import crop
from emlab.arrays.motion.repair import plan_repair
from emlab.arrays.motion.sum import _padded

SHAPE = 256, 304
INNER = np.s_[30:-30, 30:-30]


def field(shifts: np.ndarray, slope: float = 0.0) -> MotionField:
    """The whole field moves by ``shifts``; a tilt along x moves along y and grows to ``slope`` px at the edges."""
    coefficients = np.zeros((2, 3 if slope else 1, len(shifts)))
    coefficients[:, 0] = shifts.T
    if slope:
        coefficients[0, 2] = np.linspace(0.0, slope, len(shifts))
    return MotionField(coefficients, SHAPE)


def unspoilt(frames: np.ndarray) -> CleanFrames:
    """Frames without noise, of which none is to be replaced."""
    none = plan_repair(np.zeros(SHAPE, bool))
    return CleanFrames(list(frames.astype(np.float32)), None, none, float(frames.mean()), 0)


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.corrcoef(one[INNER].ravel(), other[INNER].ravel())[0, 1])


@pytest.mark.parametrize("slope", [0.0, 3.0])
def test_a_moving_specimen_is_summed_as_if_it_rested(film: Any, slope: float) -> None:
    # Motion within the field is that of the place in the first frame; a film takes it at the place in each.
    shifts = np.array([[0.0, 0.0], [3.4, -2.2], [10.5, -20.7], [7.0, 1.0]]) * (0.1 if slope else 1.0)
    x = np.linspace(-1, 1, SHAPE[1])
    tilt = np.linspace(0.0, slope, 4)[:, None, None, None] * np.stack([x + np.zeros(SHAPE), np.zeros(SHAPE)])
    moving = film(SHAPE, shifts, within=tilt, noise=False)
    rest, frames = moving[0], unspoilt(moving)
    sums = sum_frames(frames, field(shifts, slope), 1.0)
    assert sums.unweighted is None
    assert sums.image.shape == SHAPE
    np.testing.assert_allclose(sums.image[INNER], 4 * rest[INNER], atol=0.15)
    assert correlation(sums.image, rest) > 0.997
    assert correlation(moving.sum(axis=0), rest) < 0.95


def test_the_highest_frequencies_are_left_out(film: Any) -> None:
    shape = 256, 320  # whose transform is fast, so that nothing is added and cut off again
    none = plan_repair(np.zeros(shape, bool))
    frames = CleanFrames(list(film(shape, np.zeros((2, 2))).astype(np.float32)), None, none, 1.0, 0)
    half = MotionField(np.array([[[0.0, 0.5]], [[0.0, 0.5]]]), shape)
    spectrum = np.abs(np.fft.rfft2(sum_frames(frames, half, 1.0).image))
    assert max(spectrum[128].max(), spectrum[:, -1].max()) < 1e-3 * np.median(spectrum)
    assert np.median(spectrum[127]) > 0.1 * np.median(spectrum)


def ring_correlation(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """By hundredths of a cycle/px."""
    window = np.outer(*(np.hanning(size) for size in one[INNER].shape))
    first, second = (np.fft.rfft2((image[INNER] - image[INNER].mean()) * window) for image in (one, other))
    radius = np.hypot(np.fft.fftfreq(window.shape[0])[:, None], np.fft.rfftfreq(window.shape[1]))
    ring = np.round(100 * radius).astype(int).ravel()
    cross, power, same = (
        np.bincount(ring, values.ravel())
        for values in ((first * second.conj()).real, np.abs(first) ** 2, np.abs(second) ** 2)
    )
    return cross / np.sqrt(power * same)


@pytest.mark.parametrize(("slope", "binning"), [(0.0, 1), (1.7, 1), (1.7, 2)])
def test_the_sum_is_as_sharp_as_the_specimen_to_near_nyquist(slope: float, binning: int) -> None:
    specimen = np.random.default_rng(0).normal(size=SHAPE)
    series = np.fft.fft2(specimen) / specimen.size
    shifts = np.array([[0.0, 0.0], [0.31, -1.43], [1.77, 0.58], [2.5, 2.2]])
    moved = field(shifts, slope)
    y, x = np.meshgrid(*(np.arange(size) for size in SHAPE), indexing="ij")
    frames = []
    for number, (down, right) in enumerate(shifts):
        came_x = x - right
        within = moved.coefficients[0, 2, number] * ((2 * came_x + 1) / SHAPE[1] - 1) if slope else 0.0
        points = np.stack([(y - down - within) / SHAPE[0], came_x / SHAPE[1]], axis=-1).reshape(-1, 2)
        seen = ducc0.nufft.u2nu(
            grid=series, coord=2 * np.pi * points, forward=False, epsilon=1e-6, nthreads=1, fft_order=True
        )
        frames.append(seen.real.reshape(SHAPE))
    total = sum_frames(unspoilt(np.array(frames)), moved, 1.0, binning=binning).image
    if binning == 2:
        cropped = np.empty((SHAPE[0] // 2, SHAPE[1] // 4 + 1), np.complex64)
        specimen = irfft2(crop(rfft2(specimen), SHAPE, total.shape, cropped), total.shape[1])
    assert ring_correlation(total, specimen)[3:46].min() > (0.98 if binning == 1 else 0.995)


def test_dose_weights_keep_noise_white_and_fade_the_fine() -> None:
    noise = np.random.default_rng(0).poisson(20.0, (12, *SHAPE)).astype(np.uint8)
    shifts = np.random.default_rng(1).normal(0, 2, (12, 2))
    sums = sum_frames(clean_frames(noise), field(shifts), 1.0, dose=Dose(3.0, 0.0, 300.0), unweighted=True)
    assert sums.unweighted is not None
    assert sums.unweighted.mean() == pytest.approx(12 * 20.0, rel=0.01)
    assert sums.unweighted.var() == pytest.approx(12 * 20.0, rel=0.05)
    assert sums.image.var() == pytest.approx(20.0, rel=0.05)
    assert sums.image.mean() == pytest.approx(np.sqrt(12) * 20.0, rel=0.01)


def test_fine_detail_comes_from_the_first_frames() -> None:
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    fine = 100.0 + 20 * np.cos(2 * np.pi * (60 * y / SHAPE[0] + 80 * x / SHAPE[1]))
    frames = np.stack([fine, *[np.full(SHAPE, 100.0)] * 9]).astype(np.float32)
    still = field(np.zeros((10, 2)))
    early = sum_frames(unspoilt(frames), still, 1.0, dose=Dose(5.0, 0.0, 300.0)).image
    late = sum_frames(unspoilt(frames[::-1]), still, 1.0, dose=Dose(5.0, 0.0, 300.0)).image
    assert early.std() > 20 * late.std()


def test_weights_know_exposure_before_and_the_binned_pixel() -> None:
    still = field(np.zeros((6, 2)))

    def contrast_of_first(frequency: float, **told: Any) -> float:
        """How much of a wave that only the first frame shows is left in the sum."""
        x = np.arange(SHAPE[1])
        wave = np.tile(50.0 + 10.0 * np.cos(2 * np.pi * np.round(frequency * SHAPE[1]) / SHAPE[1] * x), (SHAPE[0], 1))
        shown = unspoilt(np.stack([wave, *[np.full(SHAPE, 50.0)] * 5]))
        return float(sum_frames(shown, still, 1.5, **told).image.std())

    fresh, used = (contrast_of_first(0.2, dose=Dose(5.0, before, 300.0)) for before in (0.0, 60.0))
    weights = [dose_weights(np.array([0.2 / 1.5]), 6, 5.0, 300.0, before)[0, 0] for before in (0.0, 60.0)]
    assert used / fresh == pytest.approx(weights[1] / weights[0], rel=0.02)
    assert contrast_of_first(0.2, dose=Dose(5.0, 0.0, 300.0), binning=2) == pytest.approx(fresh, rel=0.03)


@pytest.mark.parametrize(("binning", "shape"), [(2, (128, 152)), (3, (85, 101))])
def test_binning_keeps_the_low_frequencies(binning: int, shape: tuple[int, int]) -> None:
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    wave = 50.0 + 10.0 * np.cos(2 * np.pi * (6 * y / SHAPE[0] + 9 * x / SHAPE[1]))
    frames = unspoilt(np.stack([wave, np.roll(wave, (3, 4), (0, 1))]))
    sums = sum_frames(frames, field(np.array([[0.0, 0.0], [3.0, 4.0]])), 1.0, binning=binning, unweighted=True)
    v, u = np.mgrid[: shape[0], : shape[1]]
    expected = 100.0 + 20.0 * np.cos(2 * np.pi * binning * (6 * v / SHAPE[0] + 9 * u / SHAPE[1]))
    assert sums.image.shape == shape
    assert sums.unweighted is None
    inner = np.s_[10:-10, 10:-10]
    np.testing.assert_allclose(sums.image[inner], expected[inner], atol=1.0)


@pytest.mark.parametrize(("length", "binning"), [(4096, 1), (4096, 1.5), (4092, 2), (5760, 3), (3838, 2), (301, 1.2)])
def test_binned_pixels_are_exact_and_transforms_fast(length: int, binning: float) -> None:
    longer, binned = _padded(length, binning)
    assert length <= longer <= 1.07 * length
    assert fast_length(longer) == longer
    assert longer / binned == pytest.approx(binning, rel=2e-4 if length > 1000 else 3e-3)


def test_frames_of_awkward_size_are_binned_by_what_is_asked_for() -> None:
    shape = (241, 307)
    y, x = np.mgrid[: shape[0], : shape[1]]
    wave = 50.0 + 10.0 * np.cos(2 * np.pi * (0.031 * y + 0.044 * x))
    none = plan_repair(np.zeros(shape, bool))
    frames = CleanFrames([wave.astype(np.float32)] * 2, None, none, 50.0, 0)
    still = MotionField(np.zeros((2, 1, 2)), shape)
    image = sum_frames(frames, still, 1.0, binning=1.6).image
    assert image.shape == (151, 192)
    v, u = np.mgrid[: image.shape[0], : image.shape[1]] * 1.6
    expected = 100.0 + 20.0 * np.cos(2 * np.pi * (0.031 * v + 0.044 * u))
    np.testing.assert_allclose(image[12:-12, 12:-12], expected[12:-12, 12:-12], atol=1.5)


@pytest.mark.parametrize("dose", [None, Dose(2.0, 0.0, 300.0)])
def test_the_halves_are_those_of_odd_and_even_frames(dose: Dose | None) -> None:
    frames = np.random.default_rng(0).poisson(10.0, (5, *SHAPE)).astype(np.uint8)
    frames[1::2] = 0
    sums = sum_frames(unspoilt(frames), field(np.zeros((5, 2))), 1.0, dose=dose, halves=True)
    assert sums.halves is not None
    odd, even = sums.halves
    np.testing.assert_allclose(even, 0.0, atol=1e-3)
    np.testing.assert_allclose(odd, sums.image, atol=1e-3)
    both = sum_frames(unspoilt(frames), field(np.zeros((5, 2))), 1.0, dose=dose).image
    np.testing.assert_allclose(sums.image, both, atol=1e-2)


def test_the_power_spectrum_is_of_groups_of_frames() -> None:
    noise = np.random.default_rng(0).poisson(10.0, (12, *SHAPE)).astype(np.uint8)
    still, frames = field(np.zeros((12, 2))), clean_frames(noise)
    outer = np.hypot(*np.mgrid[-64:64, -64:64]) > 8
    levels = [sum_frames(frames, still, 1.0, grouping_dose=dose).power[outer].mean() for dose in (16.0, 4.0, 2.0)]
    assert levels[1] / levels[0] == pytest.approx(4.0, rel=0.1)
    # 12 frames in groups of 8 are one of 8 and one of 4.
    assert levels[2] / levels[0] == pytest.approx(6.0, rel=0.1)
    assert sum_frames(frames, still, 1.0).power.shape == (128, 128)


def test_the_same_on_a_card(film: Any, card: Any) -> None:
    raw = film(SHAPE, np.zeros((3, 2))).astype(np.uint8)
    here, there = clean_frames(raw), clean_frames([card.asarray(frame) for frame in raw])
    shifts = np.array([[0.0, 0.0], [2.3, -3.6], [4.5, 1.2]])
    for moved in (field(shifts), field(shifts, 1.5)):
        for dose, binning in ((None, 1.0), (Dose(1.0, 2.0, 200.0), 2.0)):
            options = {"dose": dose, "binning": binning, "unweighted": True, "halves": True}
            one, other = (sum_frames(frames, moved, 1.0, **options) for frames in (here, there))
            for name in ("image", "unweighted") if dose else ("image",):
                image = getattr(one, name)
                np.testing.assert_allclose(getattr(other, name).get(), image, atol=1e-4 * image.mean())
            np.testing.assert_allclose(other.power.get(), one.power, rtol=1e-3)
