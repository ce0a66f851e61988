from __future__ import annotations

import imagecodecs
import numpy as np
import pytest

from emlab.arrays.lzw import decode_lzw


def coded(data: bytes) -> np.ndarray:
    return np.frombuffer(imagecodecs.lzw_encode(data), np.uint8)


def decoded(codes: np.ndarray, size: int) -> bytes:
    return decode_lzw(codes, size).tobytes()


@pytest.mark.parametrize("mean", [0.01, 0.8, 20.0, 1e9])
@pytest.mark.parametrize("size", [1, 7, 300, 70_000])
def test_what_was_encoded_comes_back(mean: float, size: int) -> None:
    """From strings of thousands of bytes to codes that outgrow the table again and again."""
    rng = np.random.default_rng(size)
    data = (rng.poisson(mean, size) % 256).astype(np.uint8).tobytes()
    assert decoded(coded(data), size) == data


def test_a_string_may_be_used_while_it_is_made() -> None:
    data = b"a" * 5000 + b"ab" * 3000
    assert decoded(coded(data), len(data)) == data


def test_more_codes_than_there_is_room_for_fill_the_room() -> None:
    data = b"abcabcabcabcabcabc" * 9
    assert decoded(coded(data), 100) == data[:100]


def test_codes_that_end_too_early_fill_a_part() -> None:
    data = np.random.default_rng(0).poisson(1.0, 5000).astype(np.uint8).tobytes()
    part = decode_lzw(coded(data)[:700], 5000)
    assert 1000 < part.size < 5000
    assert part.tobytes() == data[: part.size]


def test_other_codes_are_not_followed() -> None:
    """A code that has no string yet; and none leads out of the array, whatever the bytes are."""
    assert decode_lzw(np.array([0x80, 0x40, 0x7F, 0xFF], np.uint8), 100).size == 0
    rng = np.random.default_rng(1)
    whole = coded(rng.poisson(1.0, 3000).astype(np.uint8).tobytes())
    for _ in range(300):
        damaged = whole.copy()
        damaged[rng.integers(damaged.size, size=3)] ^= rng.integers(1, 256, 3).astype(np.uint8)
        assert decode_lzw(damaged, 3000).size <= 3000


def test_codes_that_do_not_begin_with_a_clear_are_not_followed() -> None:
    assert decode_lzw(np.array([0x80, 0x18, 0x4C, 0x50, 0x10], np.uint8), 2).size == 2
    # The same less its first code, which a reader that follows the standard calls damaged.
    rest = np.packbits(np.unpackbits(np.array([0x80, 0x18, 0x4C, 0x50, 0x10], np.uint8))[9:])
    assert decode_lzw(rest, 2).size == 0
