from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from emlab.errors import DataError, ParameterError
from emlab.formats.gain import read_gain
from emlab.formats.mrc import write_mrc
from emlab.formats.tiff import write_tiff_movie

GAIN = np.arange(1, 7, dtype=np.float32).reshape(2, 3)


@pytest.fixture
def mrc(tmp_path: Path) -> Path:
    write_mrc(tmp_path / "gain.mrc", GAIN, None)
    return tmp_path / "gain.mrc"


@pytest.fixture
def tiff(tmp_path: Path) -> Path:
    write_tiff_movie(tmp_path / "a.gain", GAIN[None, ::-1], None, "none")
    return tmp_path / "a.gain"


@pytest.mark.parametrize(
    ("rotation", "expected"),
    [
        (0, [[1, 2, 3], [4, 5, 6]]),
        (1, [[4, 1], [5, 2], [6, 3]]),
        (2, [[6, 5, 4], [3, 2, 1]]),
        (3, [[3, 6], [2, 5], [1, 4]]),
    ],
)
def test_quarter_turns_are_counter_clockwise_with_the_first_row_at_the_bottom(
    mrc: Path, rotation: int, expected: list[list[int]]
) -> None:
    """As MotionCor computes: the new pixel (x, y) is the old one at (cos·x + sin·y, −sin·x + cos·y) from the middle."""
    turned = read_gain(mrc, np.shape(expected), rotation=rotation)
    assert turned.tolist() == expected
    height, width = turned.shape
    cos, sin = round(np.cos(rotation * np.pi / 2)), round(np.sin(rotation * np.pi / 2))
    for y in range(height):
        for x in range(width):
            right, up = x - (width - 1) / 2, y - (height - 1) / 2
            old_x, old_y = cos * right + sin * up + 1, -sin * right + cos * up + 0.5
            assert turned[y, x] == GAIN[int(old_y), int(old_x)]


def test_the_flip_comes_after_the_turn(mrc: Path) -> None:
    assert read_gain(mrc, (2, 3), flip=1).tolist() == [[4, 5, 6], [1, 2, 3]]
    assert read_gain(mrc, (2, 3), flip=2).tolist() == [[3, 2, 1], [6, 5, 4]]
    assert read_gain(mrc, (3, 2), rotation=1, flip=1).tolist() == [[6, 3], [5, 2], [4, 1]]


def test_an_eer_is_divided_by_an_mrc_and_multiplied_with_a_tiff(mrc: Path, tiff: Path) -> None:
    np.testing.assert_allclose(read_gain(mrc, (2, 3), eer=True), 1 / GAIN)
    np.testing.assert_array_equal(read_gain(tiff, (2, 3), eer=True), GAIN)
    np.testing.assert_array_equal(read_gain(mrc, (2, 3)), GAIN)


def test_a_tiff_is_read_from_its_last_row_as_a_tiff_movie_but_not_for_an_eer(tiff: Path) -> None:
    """RELION reads both upside down, and turns the gain of an EER back; then come the turn and the flip."""
    assert tifffile.imread(tiff).tolist() == GAIN.tolist()
    assert read_gain(tiff, (2, 3)).tolist() == [[4, 5, 6], [1, 2, 3]]
    assert read_gain(tiff, (2, 3), eer=True).tolist() == [[1, 2, 3], [4, 5, 6]]
    assert read_gain(tiff, (3, 2), rotation=1).tolist() == [[1, 4], [2, 5], [3, 6]]
    assert read_gain(tiff, (3, 2), rotation=1, eer=True).tolist() == [[4, 1], [5, 2], [6, 3]]
    assert read_gain(tiff, (3, 2), rotation=1, flip=1).tolist() == [[3, 6], [2, 5], [1, 4]]


@pytest.mark.parametrize("eer", [True, False])
def test_a_defect_is_0_however_the_gain_is_meant(tmp_path: Path, eer: bool) -> None:
    write_mrc(tmp_path / "gain.mrc", np.array([[2, 0], [-1, 4]], np.float32), None)
    gain = read_gain(tmp_path / "gain.mrc", (2, 2), eer=eer)
    assert gain.tolist() == ([[0.5, 0], [0, 0.25]] if eer else [[2, 0], [0, 4]])


@pytest.mark.parametrize("factor", [2, 4])
def test_an_eer_gain_is_brought_to_the_grid_of_the_frames(tiff: Path, tmp_path: Path, factor: int) -> None:
    finer = read_gain(tiff, (2 * factor, 3 * factor), eer=True)
    np.testing.assert_array_equal(finer, np.kron(GAIN, np.ones((factor, factor))))
    finer[0, 0] = 0
    write_tiff_movie(tmp_path / "fine.gain", finer[None, ::-1], None)
    coarser = read_gain(tmp_path / "fine.gain", (2, 3), eer=True)
    assert coarser.tolist() == [[0, 2, 3], [4, 5, 6]]


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((3, 2), "lies on its side; change gain_rotation"),
        ((1, 1), "belongs to another camera"),
        ((4, 6), "frames have 2× super-resolution; repeat its pixels 2×"),
        ((12, 8), r"frames have 4× super-resolution; repeat its pixels 4× and rotate it by a quarter"),
    ],
)
def test_a_gain_that_does_not_fit_says_what_would(mrc: Path, shape: tuple[int, int], message: str) -> None:
    with pytest.raises(
        DataError, match=rf"is 3 × 2 px as oriented, the frames are {shape[1]} × {shape[0]} px.*{message}"
    ):
        read_gain(mrc, shape)


def test_a_finer_gain_is_to_be_averaged(tmp_path: Path) -> None:
    write_mrc(tmp_path / "gain.mrc", np.ones((4, 6), np.float32), None)
    with pytest.raises(DataError, match=r"has 2× super-resolution; average it 2 × 2\."):
        read_gain(tmp_path / "gain.mrc", (2, 3))
    with pytest.raises(DataError, match=r"has 2× super-resolution; average it 2 × 2 and rotate it by a quarter"):
        read_gain(tmp_path / "gain.mrc", (3, 2))


@pytest.mark.parametrize(
    ("values", "message"),
    [(np.zeros((2, 2)), "is 0 everywhere"), (np.full((2, 2), np.nan), "not numbers"), ([[1, np.inf]], "not numbers")],
)
def test_a_gain_without_gain_is_refused(tmp_path: Path, values: np.ndarray, message: str) -> None:
    write_mrc(tmp_path / "gain.mrc", np.array(values, np.float32), None)
    with pytest.raises(DataError, match=message):
        read_gain(tmp_path / "gain.mrc", (2, 2))


@pytest.mark.parametrize(("rotation", "flip"), [(4, 0), (-1, 0), (0, 3)])
def test_an_orientation_that_does_not_exist_is_refused(mrc: Path, rotation: int, flip: int) -> None:
    with pytest.raises(ParameterError, match="rotation is 0, 1, 2 or 3 quarter turns, flip is 0"):
        read_gain(mrc, (2, 3), rotation=rotation, flip=flip)


@pytest.mark.data
def test_the_reference_gains_are_the_same(reference_data: Path) -> None:
    """The MRC is what RELION and MotionCor need with a TIFF movie."""
    folder = reference_data / "movies" / "session_1k"
    gain = read_gain(folder / "gain.tif", (1024, 1024))
    np.testing.assert_array_equal(gain, read_gain(folder / "gain_flipped_y.mrc", (1024, 1024)))
    assert gain.mean() == pytest.approx(1, abs=0.02)


@pytest.mark.data
def test_the_reference_gain_of_an_eer_multiplies(reference_data: Path) -> None:
    path = next((reference_data / "movies" / "movie_eer_1k").glob("*.gain"))
    assert read_gain(path, (1024, 1024), eer=True).mean() == pytest.approx(1, abs=0.02)
    assert read_gain(path, (2048, 2048), eer=True).shape == (2048, 2048)
