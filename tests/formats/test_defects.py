from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from emlab.errors import DataError, FormatError
from emlab.formats.defects import read_defects
from emlab.formats.gain import read_gain
from emlab.formats.mrc import write_mrc
from emlab.formats.tiff import write_tiff_movie


def test_a_line_is_x_y_width_height(tmp_path: Path) -> None:
    (tmp_path / "defects.txt").write_text("# bad\n\n1 2 3 1   # a piece of a row\n0 0 1 4\n")
    expected = [[1, 0, 0, 0, 0], [1, 0, 0, 0, 0], [1, 1, 1, 1, 0], [1, 0, 0, 0, 0]]
    bad = read_defects(tmp_path / "defects.txt", (4, 5))
    assert bad.dtype == bool
    assert bad.astype(int).tolist() == expected
    np.testing.assert_array_equal(
        read_defects(tmp_path / "defects.txt", (8, 10), upsampling=2), np.kron(expected, np.ones((2, 2)))
    )


@pytest.mark.parametrize("text", ["", "# none\n", "\n\n"])
def test_there_may_be_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "defects.txt").write_text(text)
    assert not read_defects(tmp_path / "defects.txt", (4, 5)).any()


def test_a_text_counts_from_the_first_row_as_read(tmp_path: Path) -> None:
    """As RELION and MotionCor mean it, for which a TIFF's first row is the last one that is stored."""
    tifffile.imwrite(tmp_path / "map.tif", np.array([[0, 0, 0], [0, 0, 0], [0, 9, 9]], np.uint8))
    (tmp_path / "defects.txt").write_text("1 0 2 1\n")
    np.testing.assert_array_equal(
        read_defects(tmp_path / "defects.txt", (3, 3)), read_defects(tmp_path / "map.tif", (3, 3))
    )


def test_a_map_is_bad_where_it_is_not_0(tmp_path: Path) -> None:
    values = np.array([[0, 1], [255, 0]], np.uint8)
    write_mrc(tmp_path / "map.mrc", values, None)
    write_tiff_movie(tmp_path / "map.tif", values[None], None)
    for name in ("map.mrc", "map.tif"):
        assert read_defects(tmp_path / name, (2, 2)).tolist() == [[False, True], [True, False]]
        with pytest.raises(DataError, match="is 2 × 2 px, the frames are 3 × 2 px"):
            read_defects(tmp_path / name, (2, 3))


@pytest.mark.parametrize("text", ["1 2 3\n", "a b c d\n", "1 2 3 4.5\n", "-1 2 3 4\n", "x = 1"])
def test_another_text_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "defects.txt").write_text("0 0 1 1\n" + text)
    with pytest.raises(FormatError, match=r"line 2 is .*, but x y width height were expected"):
        read_defects(tmp_path / "defects.txt", (9, 9))


def test_a_defect_beyond_the_frames_is_refused(tmp_path: Path) -> None:
    (tmp_path / "defects.txt").write_text("3 0 3 1\n")
    with pytest.raises(DataError, match=r"beyond the frames \(5 × 4 px\) in line 1"):
        read_defects(tmp_path / "defects.txt", (4, 5))


@pytest.mark.data
def test_the_reference_defects_are_where_the_gain_is_0(reference_data: Path, reference_defects: Path) -> None:
    folder = reference_data / "movies" / "session_1k"
    bad = read_defects(reference_defects, (1024, 1024))
    np.testing.assert_array_equal(bad, read_gain(folder / "gain.tif", (1024, 1024)) == 0)
    assert bad[:, 934].all()
