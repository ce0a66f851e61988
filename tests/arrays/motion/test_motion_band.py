from __future__ import annotations

import numpy as np
import pytest

from emlab.arrays.fft import irfft2, rfft2
from emlab.arrays.motion.band import band_limit, crop, cropped_shape, low_spectrum, make_band


def test_the_band_ends_at_fine_detail_or_where_there_is_enough() -> None:
    assert band_limit((1024, 1024), 1.5) == pytest.approx(0.3)
    assert band_limit((1024, 1024), 3.0) == pytest.approx(0.4)
    small, large = band_limit((4096, 4096), 0.85), band_limit((8192, 8192), 0.425)
    assert small < 0.85 / 5
    assert large == pytest.approx(small / 2)


@pytest.mark.parametrize(("shape", "cropped"), [((64, 80), (32, 40)), ((63, 81), (31, 41)), ((64, 64), (33, 34))])
def test_a_cropped_image_has_the_same_values(shape: tuple[int, int], cropped: tuple[int, int]) -> None:
    y, x = (np.arange(size) / size for size in shape)
    image = (5.0 + np.cos(2 * np.pi * (3 * y[:, None] + 5 * x)) + np.sin(2 * np.pi * 4 * y)[:, None]).astype(np.float32)
    out = np.empty((cropped[0], cropped[1] // 2 + 1), np.complex64)
    small = irfft2(crop(rfft2(image), shape, cropped, out), cropped[1])
    v, u = (np.arange(size) / size for size in cropped)
    expected = 5.0 + np.cos(2 * np.pi * (3 * v[:, None] + 5 * u)) + np.sin(2 * np.pi * 4 * v)[:, None]
    np.testing.assert_allclose(small, expected, atol=1e-4)


def test_cropping_leaves_room_for_the_band() -> None:
    for shape in ((1024, 1024), (4092, 5760), (301, 411)):
        cropped = cropped_shape(shape, 0.2)
        assert all(0.4 * size <= short <= 0.6 * size for size, short in zip(shape, cropped, strict=True))


def test_the_band_has_each_sample_once_by_ring() -> None:
    band = make_band((96, 128), 0.3)
    radius = np.hypot(*band.frequency)
    assert (radius < 0.3).all()
    assert (radius > 4 / 96).all()
    ends = [radius[ring].max() for ring in band.rings]
    starts = [radius[ring].min() for ring in band.rings]
    assert all(end <= start for end, start in zip(ends[:-1], starts[1:], strict=True))
    assert band.edges[-1] == len(radius)
    # A sample and its conjugate are one: no frequency is there with both signs.
    listed = {(round(float(y), 6), round(float(x), 6)) for y, x in band.frequency.T}
    assert len(listed) == len(radius)
    assert not any((-y, -x) in listed for y, x in listed)
    area = np.pi * (0.3**2 - (4 / 96) ** 2) * 96 * 128 / 2
    assert len(radius) == pytest.approx(area, rel=0.02)


@pytest.mark.parametrize("cropped", [(64, 80), (32, 40), (31, 80), (64, 42)])
def test_low_frequencies_are_those_of_the_whole(cropped: tuple[int, int]) -> None:
    image = np.random.default_rng(0).random((64, 80), dtype=np.float32)
    whole, out = (np.empty((size[0], size[1] // 2 + 1), np.complex64) for size in ((64, 80), cropped))
    expected = crop(rfft2(image), (64, 80), cropped, np.empty_like(out))
    assert low_spectrum(image, cropped, whole, out) is out
    np.testing.assert_allclose(out, expected, atol=1e-4)
