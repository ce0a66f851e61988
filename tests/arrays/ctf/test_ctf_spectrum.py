from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from emlab.arrays.ctf import tile_length, tile_spectrum
from emlab.errors import DataError

NOISE = np.random.default_rng(1).normal(100.0, 2.0, (600, 700)).astype(np.float32)


@pytest.mark.parametrize(("step_y", "step_x"), [(5, 20), (13, 6), (9, -17)])
def test_a_wave_is_where_its_frequency_says(step_y: int, step_x: int) -> None:
    y, x = np.indices((500, 600))
    wave = np.cos(2 * np.pi * (step_y * y + step_x * x) / 128)
    spectrum = tile_spectrum(wave.astype(np.float32), 128)
    brightest = {(64 + step_y, 64 + step_x), (64 - step_y, 64 - step_x)}
    assert {divmod(int(place), 128) for place in np.argsort(spectrum, axis=None)[-2:]} == brightest


def test_it_is_the_mean_power_of_windowed_tiles() -> None:
    spectrum = tile_spectrum(NOISE, 128)
    window = np.hanning(129)[:-1]
    assert spectrum[:, 80:].mean() == pytest.approx(4.0 * np.sum(window**2) ** 2, rel=0.02)
    one_tile = tile_spectrum(NOISE[:128, :128], 128)
    assert spectrum[:, 80:].std() < 0.2 * one_tile[:, 80:].std()


def test_it_is_centred_and_the_same_on_both_sides() -> None:
    spectrum = tile_spectrum(NOISE, 200)
    assert spectrum.shape == (200, 200)
    assert spectrum.dtype == np.float32
    np.testing.assert_allclose(spectrum[1:, 1:], spectrum[:0:-1, :0:-1], rtol=1e-4)


def test_rows_are_y() -> None:
    spectrum, transposed = tile_spectrum(NOISE, 128), tile_spectrum(NOISE.T.copy(), 128)
    np.testing.assert_allclose(spectrum.T[68:120, 68:120], transposed[68:120, 68:120], rtol=1e-3)


def test_the_image_is_left_alone_and_its_level_does_not_matter() -> None:
    image = NOISE.copy()
    spectrum = tile_spectrum(image, 128)
    np.testing.assert_array_equal(image, NOISE)
    raised = tile_spectrum(image + 1e6, 128)
    np.testing.assert_allclose(raised[:, 68:], spectrum[:, 68:], rtol=0.05)


@pytest.mark.parametrize("corner", [np.s_[:40, :40], np.s_[-40:, -40:], np.s_[:40, -40:]])
def test_tiles_reach_the_corners(corner: tuple[slice, slice]) -> None:
    image = np.zeros((301, 333), np.float32)
    image[corner] = np.random.default_rng(2).normal(size=(40, 40))
    assert tile_spectrum(image, 128).sum() > 0


@pytest.mark.parametrize(
    ("shape", "pixel_size", "length"),
    [((4096, 4096), 1.0, 1024), ((4096, 4096), 1.5, 686), ((8192, 8184), 0.5, 2048), ((600, 511), 1.0, 504)],
)
def test_a_tile_is_as_long_as_asked_for_and_the_image_has(
    shape: tuple[int, int], pixel_size: float, length: int
) -> None:
    assert tile_length(shape, pixel_size, 1024.0) == length


def test_an_image_without_room_for_a_tile_is_refused() -> None:
    with pytest.raises(DataError, match="has 100 × 2000 px; a power spectrum for CTF estimation needs at least 128 px"):
        tile_length((2000, 100), 1.0, 1024.0)


def test_the_same_on_a_card(card: Any) -> None:
    there = tile_spectrum(card.asarray(NOISE), 200).get()
    np.testing.assert_allclose(there, tile_spectrum(NOISE, 200), rtol=1e-3)
