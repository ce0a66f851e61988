"""Packed numbers come back as they were written, and Python objects are never loaded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emlab.errors import FormatError
from emlab.formats.array import read_array, write_array


@pytest.mark.parametrize("count", [0, 5])
def test_numbers_come_back(tmp_path: Path, count: int) -> None:
    array = np.arange(3.0 * count, dtype=np.float32).reshape(count, 3)
    write_array(tmp_path / "a.npy", array)
    read = read_array(tmp_path / "a.npy")
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, array)
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), array)


def test_objects_archives_and_what_is_cut_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "objects.npy", np.array([{"a": 1}]), allow_pickle=True)
    np.savez(tmp_path / "archive.npz", a=np.zeros(3))
    write_array(tmp_path / "cut.npy", np.zeros(1000))
    (tmp_path / "cut.npy").write_bytes((tmp_path / "cut.npy").read_bytes()[:-1])
    for name in ("objects.npy", "archive.npz", "cut.npy"):
        with pytest.raises(FormatError, match=name):
            read_array(tmp_path / name)
