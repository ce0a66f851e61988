from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from emlab.engine.read_ahead import read_ahead
from emlab.errors import FormatError
from emlab.formats.eer import write_eer
from emlab.formats.movie import open_movie
from emlab.formats.mrc import write_mrc
from emlab.formats.tiff import write_tiff_movie

COUNTS = np.random.default_rng(3).integers(0, 2, (12, 20, 30)).astype(np.uint8)


class Told:
    """Frames that say which of them were read."""

    shape = (100, 1, 1)

    def __init__(self) -> None:
        self.read_so_far: list[int] = []
        self.lock = threading.Lock()

    def __iter__(self) -> Iterator[np.ndarray]:
        return map(self.read, range(100))

    def read(self, index: int) -> np.ndarray:
        with self.lock:
            self.read_so_far.append(index)
        return np.array([[index]])


@pytest.mark.parametrize("name", ["movie.mrc", "movie.tif", "movie.eer"])
def test_frames_come_in_order_whatever_the_format(name: str, tmp_path: Path) -> None:
    write = {".mrc": write_mrc, ".tif": write_tiff_movie, ".eer": write_eer}[Path(name).suffix]
    write(tmp_path / name, COUNTS, 1.5)
    movie = open_movie(tmp_path / name, eer_grouping=2)
    expected = list(movie)
    np.testing.assert_array_equal(list(read_ahead(movie, 0, len(expected), threads=3)), expected)
    np.testing.assert_array_equal(list(read_ahead(movie, 2, 5, threads=8)), expected[2:5])


def test_no_more_are_read_ahead_than_there_are_threads() -> None:
    frames = Told()
    taken = read_ahead(frames, 0, 100, threads=3)
    assert int(next(taken)[0, 0]) == 0
    taken.close()  # waits for what was begun
    assert set(frames.read_so_far) <= {0, 1, 2, 3}


def test_a_damaged_frame_fails_the_movie(tmp_path: Path) -> None:
    write_tiff_movie(tmp_path / "movie.tif", COUNTS, 1.5, "lzw")
    movie = open_movie(tmp_path / "movie.tif")
    offset = movie.pages[7].offsets[0]  # type: ignore[attr-defined]
    with (tmp_path / "movie.tif").open("r+b") as file:
        file.seek(offset)
        file.write(b"\xff" * 8)
    taken = read_ahead(movie, 0, 12, threads=4)
    with pytest.raises(FormatError, match="LZW decompression fails|holds fewer pixels"):
        list(taken)
