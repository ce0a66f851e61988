from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emlab.errors import FormatError
from emlab.formats.eer import write_eer
from emlab.formats.image import read_image
from emlab.formats.movie import inspect, open_movie
from emlab.formats.mrc import write_mrc
from emlab.formats.tiff import write_tiff_movie
from emlab.model import FileFacts

COUNTS = np.random.default_rng(3).integers(0, 2, (6, 20, 30)).astype(np.uint8)


def test_content_decides_not_the_name(tmp_path: Path) -> None:
    write_mrc(tmp_path / "a.tiff", COUNTS, 1.5)
    write_tiff_movie(tmp_path / "a.eer", COUNTS, 1.5)
    write_eer(tmp_path / "a.mrc", COUNTS, 1.5)
    for name, kind in (("a.tiff", "mrc"), ("a.eer", "tiff"), ("a.mrc", "eer")):
        assert inspect(tmp_path / name).format == kind
        np.testing.assert_array_equal(list(open_movie(tmp_path / name)), COUNTS)


def test_headers_are_told_in_words_and_numbers(tmp_path: Path) -> None:
    write_mrc(tmp_path / "a.mrc", COUNTS.astype("f2"), 1.5)
    facts = inspect(tmp_path / "a.mrc")
    assert facts.description == "MRC mode 12, float16"
    assert (facts.frames, facts.height, facts.width, facts.raw_frames, facts.pixel_size) == (6, 20, 30, 6, 1.5)
    write_tiff_movie(tmp_path / "a.tif", COUNTS, None, "deflate")
    assert inspect(tmp_path / "a.tif").description == "TIFF deflate uint8"
    assert inspect(tmp_path / "a.tif").pixel_size is None


def test_an_eer_is_told_as_it_is_read(tmp_path: Path) -> None:
    write_eer(tmp_path / "a.eer", COUNTS, 1.5)
    facts = inspect(tmp_path / "a.eer", eer_grouping=4, eer_upsampling=2)
    assert facts == FileFacts(
        format="eer",
        description="EER 7+4 bits",
        frames=1,
        height=40,
        width=60,
        raw_frames=6,
        pixel_size=pytest.approx(0.75),
    )
    assert open_movie(tmp_path / "a.eer", eer_grouping=4, eer_upsampling=2).shape == (1, 40, 60)


def test_an_image_is_float_and_of_one_frame(tmp_path: Path) -> None:
    write_mrc(tmp_path / "a.mrc", COUNTS[0].astype("i2"), 1.5)
    write_mrc(tmp_path / "stack.mrc", COUNTS[:1].astype("i2"), 1.5)
    write_tiff_movie(tmp_path / "a.tif", COUNTS[:1], 1.5)
    for name in ("a.mrc", "stack.mrc", "a.tif"):
        image, pixel_size = read_image(tmp_path / name)
        assert image.dtype == np.float32
        np.testing.assert_array_equal(image, COUNTS[0])
        assert pixel_size == pytest.approx(1.5)
    write_mrc(tmp_path / "movie.mrc", COUNTS, 1.5)
    write_eer(tmp_path / "a.eer", COUNTS[:1], 1.5)
    with pytest.raises(FormatError, match="movie of 6 frames, but a single image was expected"):
        read_image(tmp_path / "movie.mrc")
    with pytest.raises(FormatError, match="single image was expected"):
        read_image(tmp_path / "a.eer")
