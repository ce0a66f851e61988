from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from emlab.arrays.fft import rfft2
from emlab.arrays.motion.spectrum import add_power, tile_power


def power_of(image: np.ndarray) -> np.ndarray:
    spectrum = rfft2((image - image.mean()).astype(np.float32))
    power = np.zeros(spectrum.shape, np.float32)
    add_power(spectrum, power)
    return power


def averaged_tiles(image: np.ndarray, tile: int) -> np.ndarray:
    """Welch's method as it is written in books: half-overlapping tiles, one by one."""
    window = np.hanning(tile + 1)[:-1]
    starts = [range(0, length - tile + 1, tile // 2) for length in image.shape]
    tiles = np.stack([image[y : y + tile, x : x + tile] for y in starts[0] for x in starts[1]])
    power = np.abs(np.fft.fft2((tiles - tiles.mean(axis=(1, 2), keepdims=True)) * window[:, None] * window)) ** 2
    return np.fft.fftshift(power.mean(axis=0))


@pytest.mark.parametrize("shape", [(512, 512), (300, 431), (513, 400)])
def test_white_noise_has_the_level_that_tiles_have(shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).normal(0.0, 2.0, shape)
    tiles, smoothed = averaged_tiles(noise, 128), tile_power(power_of(noise), shape, 128)
    assert smoothed.shape == (128, 128)
    assert smoothed.dtype == np.float32
    outer = np.hypot(*np.mgrid[-64:64, -64:64]) > 8
    assert smoothed[outer].mean() == pytest.approx(tiles[outer].mean(), rel=0.05)
    assert smoothed[outer].std() < tiles[outer].std()


@pytest.mark.parametrize(("down", "right"), [(20, 31), (-17, 40), (25, 0), (0, 12)])
def test_a_wave_is_where_tiles_have_it(down: int, right: int) -> None:
    shape, tile = (384, 512), 128
    y, x = np.mgrid[: shape[0], : shape[1]]
    wave = np.cos(2 * np.pi * (down * y + right * x) / tile + 0.3)
    noise = np.random.default_rng(0).normal(0.0, 0.01, shape)
    smoothed = tile_power(power_of(wave + noise), shape, tile)
    middle = tile // 2
    found = {(int(v) - middle, int(u) - middle) for v, u in np.argwhere(smoothed > 0.5 * smoothed.max())}
    if down and right:
        assert found == {(down, right), (-down, -right)}
        tiles = averaged_tiles(wave + noise, tile)
        assert smoothed.max() == pytest.approx(tiles.max(), rel=0.05)
    else:
        # The axes themselves are left out: there the edges of the field leak.
        assert smoothed.max() < 0.1 * averaged_tiles(wave, tile).max()


def test_it_is_its_own_mirror_image() -> None:
    shape = 200, 260
    smoothed = tile_power(power_of(np.random.default_rng(0).normal(size=shape)), shape, 64)
    np.testing.assert_allclose(smoothed[1:, 1:], smoothed[:0:-1, :0:-1], rtol=1e-4)


def test_an_illumination_gradient_leaves_no_cross() -> None:
    shape = 512, 512
    y, x = np.mgrid[: shape[0], : shape[1]]
    slope = 30.0 * (x / shape[1] + 0.5 * y / shape[0])
    smoothed = tile_power(power_of(np.random.default_rng(0).normal(size=shape) + slope), shape, 128)
    level = np.median(smoothed)
    far = np.r_[0:50, 79:128]
    assert smoothed[64, far].mean() < 2.0 * level
    assert smoothed[far, 64].mean() < 2.0 * level


def test_the_same_on_a_card(card: Any) -> None:
    shape = 100, 120
    image = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    spectrum = card.asarray(rfft2(image))
    power = card.zeros(spectrum.shape, np.float32)
    add_power(spectrum, power)
    expected = np.zeros(spectrum.shape, np.float32)
    add_power(rfft2(image), expected)
    np.testing.assert_allclose(power.get(), expected, rtol=1e-4, atol=1e-2)
    np.testing.assert_allclose(tile_power(power, shape, 32).get(), tile_power(expected, shape, 32), rtol=1e-3)
