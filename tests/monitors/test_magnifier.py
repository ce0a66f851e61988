"""Parts of micrographs as pictures: which part, how large, how sharp, and which way up."""

from __future__ import annotations

from pathlib import Path

import imagecodecs
import numpy as np
import pytest

from emlab.errors import EmlabError
from emlab.formats.mrc import write_mrc
from emlab.monitors import Magnifier, clipped


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """Dark but for a bright block at rows 0 to 15, columns 48 to 63 of 64 × 96."""
    pixels = np.random.default_rng(0).normal(0, 0.01, (64, 96)).astype(np.float32)
    pixels[:16, 48:64] += 1.0
    write_mrc(tmp_path / "image.mrc", pixels, 2.0)
    return tmp_path / "image.mrc"


def picture(path: Path, region: tuple[float, float, float, float], width: int, low_pass: float = 0.0) -> np.ndarray:
    return np.asarray(imagecodecs.jpeg8_decode(Magnifier().picture(path, region, width, low_pass, 2.0))).astype(int)


def test_the_first_row_is_on_top_and_the_first_column_on_the_left(image: Path) -> None:
    whole = picture(image, (0, 0, 96, 64), 96)
    assert whole.shape == (64, 96)
    assert whole[2:14, 50:62].min() > 200
    assert whole[20:, :].max() < 80
    assert whole[:, :46].max() < 80


def test_a_region_is_cut_out_and_reduced_by_whole_factors(image: Path) -> None:
    part = picture(image, (32.0, 0.0, 80.0, 32.0), 24)
    assert part.shape == (16, 24)
    assert part[1:7, 9:15].min() > 200


def test_a_low_pass_filter_halves_detail_of_its_own_size(tmp_path: Path) -> None:
    x = np.arange(512)
    waves = np.cos(2 * np.pi * x / 16) + np.cos(2 * np.pi * x / 128)  # 32 Å and 256 Å at 2 Å per px
    write_mrc(tmp_path / "waves.mrc", np.tile(waves, (64, 1)).astype(np.float32), 2.0)
    ratios = []
    for low_pass in (0.0, 32.0):
        row = picture(tmp_path / "waves.mrc", (0, 0, 512, 64), 512, low_pass)[32].astype(float)
        amplitude = np.abs(np.fft.rfft(row))
        ratios.append(amplitude[512 // 16] / amplitude[512 // 128])
    assert ratios[1] / ratios[0] == pytest.approx(0.5, rel=0.05)


def test_a_region_beyond_the_image_is_clipped_and_never_empty() -> None:
    assert clipped((-10.5, -3, 200, 20.2), (64, 96)) == (0, 0, 96, 21)
    assert clipped((500, 500, 600, 600), (64, 96)) == (88, 56, 96, 64)
    assert clipped((10, 10, 10, 10), (64, 96)) == (10, 10, 18, 18)


def test_an_image_that_is_gone_is_an_error_of_ours(tmp_path: Path) -> None:
    with pytest.raises(EmlabError):
        picture(tmp_path / "gone.mrc", (0, 0, 1, 1), 10)
