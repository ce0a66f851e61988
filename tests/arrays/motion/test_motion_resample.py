from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from emlab.arrays.motion.resample import blocks_of, halve, mirrored, scratch_shape, shift_whole, warp

SHAPE = 100, 133


def image(shift_y: Any = 0.0, shift_x: Any = 0.0, frequency: float = 0.1) -> np.ndarray:
    """A wave along both axes of what is displaced by the shifts, px."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    turns = frequency * (y - shift_y) + 0.7 * frequency * (x - shift_x)
    return np.cos(2 * np.pi * turns).astype(np.float32)


def warped(frame: np.ndarray, shift: tuple[int, int], local_y: np.ndarray, local_x: np.ndarray) -> np.ndarray:
    largest = float(max(np.abs(local_y).max(), np.abs(local_x).max()))
    scratch = np.empty(scratch_shape(frame.shape, largest), np.float32)
    return warp(frame, shift, local_y.astype(np.float32), local_x.astype(np.float32), scratch, np.empty_like(frame))


def constant(value: float) -> np.ndarray:
    rows, columns = blocks_of(SHAPE)
    return np.full((len(rows), len(columns)), value)


def test_what_was_displaced_comes_back() -> None:
    frame = np.zeros(SHAPE, np.float32)
    frame[40, 70] = 1.0
    back = shift_whole(frame, (7, -5), np.empty_like(frame))
    assert np.argwhere(back).tolist() == [[33, 75]]
    assert np.argwhere(warped(frame, (7, -5), constant(0.0), constant(0.0)) > 0.5).tolist() == [[33, 75]]


@pytest.mark.parametrize("shift", [(0, 0), (12, -30), (-99, 132), (300, 0)])
def test_beyond_the_edge_is_the_mirror_image(shift: tuple[int, int]) -> None:
    frame = np.random.default_rng(0).random(SHAPE).astype(np.float32)
    padded = np.pad(frame, 400, mode="symmetric")
    expected = padded[400 + shift[0] :, 400 + shift[1] :][: SHAPE[0], : SHAPE[1]]
    np.testing.assert_array_equal(shift_whole(frame, shift, np.empty_like(frame)), expected)
    np.testing.assert_allclose(warped(frame, shift, constant(0.0), constant(0.0)), expected, atol=0.05)


def test_mirroring_repeats_the_outermost() -> None:
    assert mirrored(np.arange(-4, 8), 3).tolist() == [2, 2, 1, 0, 0, 1, 2, 2, 1, 0, 0, 1]


@pytest.mark.parametrize("frequency", [0.02, 0.1, 0.2, 0.3])
def test_fractions_of_a_pixel_are_interpolated_up_to_high_frequencies(frequency: float) -> None:
    frame = image(2.5, -3.25, frequency)
    back = warped(frame, (2, -3), constant(0.5), constant(-0.25))
    inner = np.s_[10:-10, 10:-10]
    assert np.abs(back - image(frequency=frequency))[inner].max() < 0.1
    assert np.sqrt(((back - image(frequency=frequency))[inner] ** 2).mean()) < 0.06


def test_motion_within_the_field_is_undone() -> None:
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    rows, columns = blocks_of(SHAPE)

    def moved(v: np.ndarray, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return 3.0 * np.sin(v / 300.0) * np.cos(u / 400.0), 1.5 * np.cos(v / 200.0 + u / 300.0)

    # The frame at y shows what was at y − d(y); d hardly changes over d px.
    frame = image(*moved(y, x), frequency=0.06)
    back = warped(frame, (0, 0), *moved(*np.meshgrid(rows, columns, indexing="ij")))
    before = np.abs(frame - image(frequency=0.06))[10:-10, 10:-10].max()
    after = np.abs(back - image(frequency=0.06))[10:-10, 10:-10].max()
    assert before > 0.5
    assert after < 0.06


def test_a_narrow_last_block_is_filled() -> None:
    frame = np.ones((17, 16 * 3 + 1), np.float32)
    rows, columns = blocks_of(frame.shape)
    still = np.zeros((len(rows), len(columns)), np.float32)
    out = np.full_like(frame, np.nan)
    warp(frame, (0, 0), still, still, np.empty(scratch_shape(frame.shape, 0.0), np.float32), out)
    np.testing.assert_allclose(out, 1.0, atol=1e-6)


def test_halving_keeps_every_count() -> None:
    frame = np.random.default_rng(0).poisson(3.0, (51, 40)).astype(np.float32)
    half = halve(frame)
    assert half.shape == (25, 20)
    assert half.sum() == frame[:50].sum()
    assert half[3, 4] == frame[6:8, 8:10].sum()


def test_the_same_on_a_card(card: Any) -> None:
    rng = np.random.default_rng(2)
    frame = rng.random(SHAPE).astype(np.float32)
    rows, columns = blocks_of(SHAPE)
    local = rng.normal(0, 0.6, (2, len(rows), len(columns))).astype(np.float32)
    there = [card.asarray(one) for one in (frame, np.empty(scratch_shape(SHAPE, 4.0), np.float32), frame * 0)]
    for coarse in (False, True):
        expected = warp(
            frame, (3, -4), *local, np.empty(scratch_shape(SHAPE, 4.0), np.float32), frame * 0, coarse=coarse
        )
        result = warp(there[0], (3, -4), *card.asarray(local), *there[1:], coarse=coarse).get()
        np.testing.assert_allclose(result, expected, atol=1e-5)
    moved = shift_whole(there[0], (3, -4), there[2]).get()
    np.testing.assert_array_equal(moved, shift_whole(frame, (3, -4), np.empty_like(frame)))
    np.testing.assert_allclose(halve(there[0]).get(), halve(frame), rtol=1e-6)
