from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import starfile

from emlab.errors import DataError, FormatError
from emlab.formats.star import read_star, write_star


def test_blocks_are_lists_or_loops(tmp_path: Path) -> None:
    write_star(
        tmp_path / "a.star",
        {
            "general": {"rlnVoltage": 300.0, "_rlnMicrographMovieName": "a b.tif"},
            "shift": {"rlnX": [1, 2], "rlnY": (0.5, 1e-7)},
        },
    )
    assert (tmp_path / "a.star").read_text() == (
        '# version 50001\n\ndata_general\n\n_rlnVoltage 300.0\n_rlnMicrographMovieName "a b.tif"\n'
        "\ndata_shift\n\nloop_\n_rlnX #1\n_rlnY #2\n1 0.5\n2 1e-07\n"
    )


def test_every_digit_is_kept(tmp_path: Path) -> None:
    doubles, floats = np.random.default_rng(0).random(50), np.random.default_rng(1).random(50).astype(np.float32)
    write_star(tmp_path / "a.star", {"a": {"d": doubles, "f": floats, "i": np.arange(50), "l": doubles.tolist()}})
    read = read_star(tmp_path / "a.star")["a"]
    np.testing.assert_array_equal(read["d"], doubles)
    np.testing.assert_array_equal(read["l"], doubles)
    np.testing.assert_array_equal(read["f"].astype(np.float32), floats)
    np.testing.assert_array_equal(read["i"], np.arange(50))


def test_texts_that_need_quotation_marks_come_back(tmp_path: Path) -> None:
    texts = ["plain", "with space", "#sharp", "_under", "it's", 'a "b"', "a#b", ""]
    write_star(tmp_path / "a.star", {"a": {"t": texts, "n": range(len(texts))}, "b": {"t": "two words"}})
    assert read_star(tmp_path / "a.star")["a"]["t"].tolist() == texts
    assert read_star(tmp_path / "a.star")["b"]["t"] == "two words"


def test_a_name_of_digits_is_no_number(tmp_path: Path) -> None:
    write_star(tmp_path / "a.star", {"a": {"t": ["20170629_00021", "20170629_00022"]}})
    assert read_star(tmp_path / "a.star")["a"]["t"].tolist() == ["20170629_00021", "20170629_00022"]


def test_starfile_reads_the_same(tmp_path: Path) -> None:
    tables = {"general": {"rlnA": 1.5, "rlnB": "x"}, "rows": {"rlnC": [1, 2], "rlnD": ["two words", "y"]}}
    write_star(tmp_path / "a.star", tables)
    blocks = starfile.read(tmp_path / "a.star", always_dict=True)
    assert blocks["general"] == tables["general"]
    assert blocks["rows"].to_dict("list") == tables["rows"]


def test_none_and_truth_have_words(tmp_path: Path) -> None:
    write_star(tmp_path / "a.star", {"a": {"x": None, "y": True, "z": np.False_}})
    assert "_x None\n_y 1\n_z 0\n" in (tmp_path / "a.star").read_text()


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"a": {"x": [1, 2], "y": [1]}}, "differ in length: _x 2, _y 1"),
        ({"a": {"x": [1, 2], "y": 1}}, "mixes columns and single values"),
        ({"a": {"x": "two\nlines"}}, "line break"),
        ({"a": {"x": "both \" and '"}}, "both kinds of quotation marks"),
    ],
)
def test_what_a_star_file_cannot_hold_is_refused(tmp_path: Path, tables: dict, message: str) -> None:
    with pytest.raises(DataError, match=message):
        write_star(tmp_path / "a.star", tables)
    assert not list(tmp_path.iterdir())


def test_an_empty_table_has_its_columns(tmp_path: Path) -> None:
    write_star(tmp_path / "a.star", {"hot_pixels": {"rlnCoordinateX": [], "rlnCoordinateY": []}})
    assert "loop_\n_rlnCoordinateX #1\n_rlnCoordinateY #2\n" in (tmp_path / "a.star").read_text()
    assert [len(column) for column in read_star(tmp_path / "a.star")["hot_pixels"].values()] == [0, 0]


def test_another_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.star").write_text("nothing here")
    with pytest.raises(FormatError, match="no block that begins with data_"):
        read_star(tmp_path / "a.star")


@pytest.mark.parametrize("damage", ["data_a\n_rlnA 1 2\n", "data_a\nloop_\n_x\n_y\n1 2\n3\n", "data_a\nloop_\n1 2\n"])
def test_damage_is_said(tmp_path: Path, damage: str) -> None:
    (tmp_path / "a.star").write_text(damage)
    with pytest.raises(FormatError, match="is damaged"):
        read_star(tmp_path / "a.star")


@pytest.mark.data
def test_relions_files_are_read_and_written_alike(reference_data: Path, tmp_path: Path) -> None:
    path = min((reference_data / "relion" / "MotionCorr").rglob("*_frameImage.star"))
    read = read_star(path)
    assert list(read)[:2] == ["general", "global_shift"]
    assert read["general"]["rlnVoltage"] == 200
    assert len(read["global_shift"]["rlnMicrographShiftX"]) == 24
    write_star(tmp_path / "a.star", read)
    again = read_star(tmp_path / "a.star")
    assert again["general"] == read["general"]
    for column, values in read["global_shift"].items():
        np.testing.assert_array_equal(again["global_shift"][column], values)


def test_a_loop_can_come_in_parts(tmp_path: Path) -> None:
    parts = ({"rlnA": np.arange(n, n + 2), "rlnB": [f"{n}@x y", "b"]} for n in (0, 2))
    write_star(tmp_path / "a.star", {"optics": {"rlnC": 1}, "particles": parts})
    whole = {"rlnA": [0, 1, 2, 3], "rlnB": ["0@x y", "b", "2@x y", "b"]}
    write_star(tmp_path / "b.star", {"optics": {"rlnC": 1}, "particles": whole})
    assert (tmp_path / "a.star").read_text() == (tmp_path / "b.star").read_text()
