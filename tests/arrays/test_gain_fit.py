"""A gain is told from one that lies otherwise by the frames' finest structure."""

from __future__ import annotations

import numpy as np
import pytest

from emlab.arrays.gain_fit import fit_gain

RNG = np.random.default_rng(7)
SHAPE = (1024, 512)
GAIN = RNG.normal(1, 0.05, SHAPE).astype(np.float32)
SCENE = 4 * (1 + 0.5 * np.sin(np.arange(512) / 40)) * np.ones(SHAPE)
"""Electrons a pixel, of a beam that is not even."""


def shot(gain: np.ndarray, frames: int = 10) -> np.ndarray:
    return RNG.poisson(frames * SCENE / np.where(gain > 0, gain, np.inf)).astype(np.float32)


def test_a_gain_that_lies_as_the_frames_do_fits_and_no_other() -> None:
    counts = shot(GAIN)
    right = fit_gain(counts, GAIN)
    assert right.slope == pytest.approx(-1, abs=4 * right.error)
    assert right.fits
    assert not right.is_foreign
    for other in (GAIN[::-1], GAIN[:, ::-1], GAIN[::-1, ::-1], RNG.normal(1, 0.05, SHAPE).astype(np.float32)):
        wrong = fit_gain(counts, np.ascontiguousarray(other))
        assert wrong.slope == pytest.approx(0, abs=4 * wrong.error)
        assert wrong.is_foreign


def test_frames_that_were_corrected_before_need_no_gain() -> None:
    corrected = shot(GAIN) * GAIN
    assert fit_gain(corrected, GAIN).is_foreign


def test_dead_and_hot_pixels_and_a_strange_gain_of_few_decide_nothing() -> None:
    gain = GAIN.copy()
    gain[::7, ::5] = 0
    gain[3::9, 4::11] = 30
    counts = shot(gain)
    counts[::16, 3::13] *= 50  # in rows that are looked at
    assert fit_gain(counts, gain).fits
    assert not fit_gain(counts, gain).is_foreign
    assert fit_gain(counts, gain[::-1].copy()).is_foreign


@pytest.mark.parametrize("gain", [np.ones(SHAPE, np.float32), 1 + (GAIN - 1) / 100])
def test_an_even_gain_says_nothing(gain: np.ndarray) -> None:
    found = fit_gain(shot(gain), gain.astype(np.float32))
    assert not found.is_known
    assert not found.is_foreign
    assert not fit_gain(np.zeros(SHAPE, np.float32), GAIN).is_foreign


def test_as_many_frames_as_it_takes() -> None:
    few, many = (fit_gain(shot(GAIN, frames), GAIN) for frames in (1, 100))
    assert few.error == pytest.approx(10 * many.error, rel=0.2)
    assert many.is_known
