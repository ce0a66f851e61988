from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from emlab.arrays.fft import irfft2, rfft2
from emlab.arrays.motion.accumulate import add_weighted

SHAPE = 24, 31


def add_shifted(spectrum: np.ndarray, shift: tuple[float, float], total: np.ndarray) -> None:
    ring, weight = np.zeros(spectrum.shape, np.uint16), np.ones(1, np.float32)
    add_weighted(spectrum, shift, SHAPE[1], weight, ring, total, np.zeros_like(total))


@pytest.fixture
def spectrum() -> np.ndarray:
    return rfft2(np.random.default_rng(0).random(SHAPE).astype(np.float32))


def test_a_displaced_frame_is_moved_back(spectrum: np.ndarray) -> None:
    total = np.zeros_like(spectrum)
    add_shifted(spectrum, (2.0, -3.0), total)
    add_shifted(spectrum, (0.0, 0.0), total)
    frame = irfft2(spectrum, SHAPE[1])
    np.testing.assert_allclose(irfft2(total, SHAPE[1]), np.roll(frame, (-2, 3), (0, 1)) + frame, atol=1e-4)


def test_fractions_of_a_pixel_add_up(spectrum: np.ndarray) -> None:
    once, twice = np.zeros_like(spectrum), np.zeros_like(spectrum)
    add_shifted(spectrum, (0.3, 0.6), once)
    add_shifted(once, (0.7, 0.4), twice)
    whole = np.zeros_like(spectrum)
    add_shifted(spectrum, (1.0, 1.0), whole)
    np.testing.assert_allclose(twice, whole, atol=1e-3)


def test_weights_go_by_ring(spectrum: np.ndarray) -> None:
    ring = np.random.default_rng(1).integers(0, 3, spectrum.shape).astype(np.uint16)
    weight = np.array([1.0, 0.0, 2.5], np.float32)
    total, weighted, alone = (np.zeros_like(spectrum) for _ in range(3))
    add_weighted(spectrum, (0.4, 1.2), SHAPE[1], weight, ring, total, weighted)
    add_shifted(spectrum, (0.4, 1.2), alone)
    np.testing.assert_allclose(total, alone, atol=1e-5)
    np.testing.assert_allclose(weighted, alone * weight[ring], atol=1e-5)


def test_the_same_on_a_card(spectrum: np.ndarray, card: Any) -> None:
    ring = np.zeros(spectrum.shape, np.uint16)
    weight = np.array([0.5], np.float32)
    here, there = [np.zeros_like(spectrum) for _ in range(2)], [card.zeros_like(spectrum) for _ in range(2)]
    for (total, weighted), form in ((here, np.asarray), (there, card.asarray)):
        add_weighted(form(spectrum), (0.4, -1.2), SHAPE[1], form(weight), form(ring), total, weighted)
    for one, other in zip(here, there, strict=True):
        np.testing.assert_allclose(other.get(), one, atol=1e-4)
