from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from emlab.arrays.motion import clean_frames
from emlab.arrays.motion.repair import clean, find_bad_pixels, plan_repair
from emlab.errors import DataError

SHAPE = 96, 128


def counts(mean: float, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).poisson(mean, SHAPE).astype(np.float32)


@pytest.mark.parametrize("scale", [1.0, 37.0])
def test_hot_and_dead_pixels_are_found_whatever_the_unit_of_counts(scale: float) -> None:
    total = counts(40.0)
    strange = {(0, 0): 200.0, (50, 60): 90.0, (50, 61): 95.0, (95, 127): 0.0, (30, 1): 1.0}
    for pixel, value in strange.items():
        total[pixel] = value
    found = {tuple(map(int, pixel)) for pixel in np.argwhere(find_bad_pixels(total * scale, np.zeros(SHAPE, bool)))}
    assert set(strange) <= found
    assert len(found) < len(strange) + 5


def test_known_bad_pixels_neither_hide_nor_accuse_their_neighbours() -> None:
    total, known = counts(40.0), np.zeros(SHAPE, bool)
    known[:, 20:22] = True
    total[known] = 5000.0
    total[10, 23] = 150.0
    total[50, 20] = 40.0
    found = find_bad_pixels(total, known)
    assert found[known].all()
    assert found[10, 23]
    assert found[:, 15:27].sum() == known.sum() + 1
    assert known.sum() == 2 * SHAPE[0]


def test_structure_of_the_specimen_is_not_taken_for_bad_pixels() -> None:
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    mean = np.where(x < 60, 60.0, 25.0) * (1.0 + 0.3 * np.sin(y / 6.0))
    total = np.random.default_rng(3).poisson(mean).astype(np.float32)
    assert find_bad_pixels(total, np.zeros(SHAPE, bool)).sum() < 25


def test_a_bad_pixel_takes_the_value_of_a_good_one_nearby() -> None:
    raw = np.arange(SHAPE[0] * SHAPE[1], dtype=np.uint16).reshape(SHAPE)
    gain = np.full(SHAPE, 2.0, np.float32)
    bad = np.zeros(SHAPE, bool)
    bad[40, 50] = bad[40, 51] = bad[0, 0] = True
    out = np.empty(SHAPE, np.float32)
    clean(raw, gain, plan_repair(bad), 0, out)
    np.testing.assert_array_equal(out[~bad], 2.0 * raw[~bad])
    for pixel in np.argwhere(bad):
        near = np.s_[max(pixel[0] - 2, 0) : pixel[0] + 3, max(pixel[1] - 2, 0) : pixel[1] + 3]
        assert out[tuple(pixel)] in (2.0 * raw[near])[~bad[near]]


def test_frames_do_not_share_the_pattern_of_what_is_replaced() -> None:
    raw = counts(5.0).astype(np.uint8)
    bad = np.zeros(SHAPE, bool)
    bad[:, 64] = True
    repair, out = plan_repair(bad), np.empty(SHAPE, np.float32)
    columns = [clean(raw, None, repair, seed, out)[:, 64].copy() for seed in range(2)]
    assert not np.array_equal(*columns)
    assert columns[0].var() == pytest.approx(5.0, rel=0.5)


def test_every_donor_is_taken_as_often() -> None:
    bad = np.zeros(SHAPE, bool)
    bad[::3, ::3] = True
    plan, chosen = plan_repair(bad), []
    donors = np.arange(bad.size, dtype=np.float32).reshape(SHAPE)
    for seed in range(6):
        taken = clean(donors, None, plan, seed, np.empty(SHAPE, np.float32)).ravel()[plan.bad]
        chosen.append((plan.donors == taken[:, None]).argmax(axis=1))
    share = np.bincount(np.ravel(chosen), minlength=8) / np.size(chosen)
    np.testing.assert_allclose(share, 1 / 8, atol=0.02)
    # Frames, and neighbours in a frame, choose by themselves.
    assert np.mean(chosen[0] == chosen[1]) == pytest.approx(1 / 8, abs=0.03)
    assert np.mean(chosen[0][1:] == chosen[0][:-1]) == pytest.approx(1 / 8, abs=0.03)


def test_too_many_bad_pixels_are_refused() -> None:
    bad = np.ones((200, 200), bool)
    bad[:3] = False
    with pytest.raises(DataError, match="no good one within 64 px"):
        plan_repair(bad)


def test_what_is_known_and_what_is_found_are_told_apart() -> None:
    rng = np.random.default_rng(5)
    frames = [rng.poisson(4.0, SHAPE).astype(np.uint8) for _ in range(8)]
    for frame in frames:
        frame[7, 9], frame[3, 3], frame[80, 100] = 250, 0, 77
    gain, defects = np.full(SHAPE, 1.5, np.float32), np.zeros(SHAPE, bool)
    gain[3, 3], defects[80, 100] = 0.0, True
    cleaned = clean_frames(frames, gain, defects)
    assert [7, 9] in cleaned.replaced.tolist()
    assert [3, 3] in cleaned.replaced.tolist()
    assert [80, 100] in cleaned.replaced.tolist()
    assert cleaned.hot == len(cleaned.replaced) - 2
    assert cleaned.mean == pytest.approx(6.0, rel=0.02)
    assert len(cleaned) == len(list(cleaned)) == 8
    assert max(float(frame.max()) for frame in cleaned) < 40.0


@pytest.mark.parametrize(("frames", "message"), [([], "no frames"), ([np.zeros(SHAPE, np.uint8)] * 3, "blank")])
def test_nothing_to_align_is_said(frames: list[np.ndarray], message: str) -> None:
    with pytest.raises(DataError, match=message):
        clean_frames(frames)


def test_pixels_that_are_not_numbers_are_replaced(card: Any) -> None:
    frames = [counts(4.0, seed) for seed in range(6)]
    frames[2][40, 50], frames[3][7, 9] = np.nan, np.inf
    cleaned = clean_frames(frames)
    assert [40, 50] in cleaned.replaced.tolist()
    assert [7, 9] in cleaned.replaced.tolist()
    assert cleaned.hot == len(cleaned.replaced) < 8
    assert cleaned.mean == pytest.approx(4.0, rel=0.02)
    assert all(np.isfinite(frame).all() for frame in cleaned)
    there = clean_frames([card.asarray(frame) for frame in frames])
    np.testing.assert_array_equal(there.replaced, cleaned.replaced)


def test_a_movie_with_many_pixels_that_are_not_numbers_is_told_from_a_blank_one() -> None:
    frames = [counts(4.0, seed) for seed in range(3)]
    frames[1][:30] = np.nan
    with pytest.raises(DataError, match=r"3840 of 12288 pixels of the frames are not numbers"):
        clean_frames(frames)


def test_the_same_on_a_card(card: Any) -> None:
    total, known = counts(40.0), np.zeros(SHAPE, bool)
    known[20:26, 70:76] = known[0, 0] = True
    for pixel in ((0, 1), (1, 60), (50, 60), (50, 61), (94, 3), (95, 127), (40, 126)):
        total[pixel] = 150.0
    for pixel in ((60, 30), (70, 100), (80, 50)):
        total[pixel] = 84.0  # hardly too many
    here, there = find_bad_pixels(total, known), find_bad_pixels(card.asarray(total), card.asarray(known))
    assert here.sum() >= known.sum() + 9
    np.testing.assert_array_equal(there.get(), here)
    plan, same = plan_repair(here), plan_repair(there)
    np.testing.assert_array_equal(same.donors.get(), plan.donors)
    raw, gain = counts(2.0, 5).astype(np.uint8), np.full(SHAPE, 1.5, np.float32)
    expected = clean(raw, gain, plan, 3, np.empty(SHAPE, np.float32))
    found = clean(card.asarray(raw), card.asarray(gain), same, 3, card.empty(SHAPE, np.float32))
    np.testing.assert_array_equal(found.get(), expected)
    alone = card.ones((200, 200), bool)
    alone[0, 0] = False
    with pytest.raises(DataError, match="pixel x 65, y 0 has no good one"):
        plan_repair(alone)
