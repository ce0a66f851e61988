from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from emlab.errors import FileUnavailable, FormatError, TruncatedFile
from emlab.formats.source import Source


def test_reads_within_bounds_only(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(bytes(range(100)))
    array = np.empty((2, 5), "<u2")
    with Source(path) as source:
        assert source.read(10, 3) == b"\x0a\x0b\x0c"
        source.read_into(0, array)
        assert array[0, 1] == 0x0302
        assert source.start(1000) == bytes(range(100))
        with pytest.raises(TruncatedFile, match="ends at byte 100 but at least 101"):
            source.read(99, 2)
        with pytest.raises(TruncatedFile):
            source.read_into(85, array)


def test_a_file_cut_short_while_it_is_open_is_truncated(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(bytes(100))
    with Source(path) as source:
        os.truncate(path, 50)
        with pytest.raises(TruncatedFile):
            source.read(40, 20)
        with pytest.raises(TruncatedFile):
            source.read_into(40, np.empty(20, np.uint8))


def test_says_why_a_file_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(FileUnavailable, match="There is no file") as raised:
        Source(tmp_path / "absent")
    assert raised.value.filename == str(tmp_path / "absent")
    with pytest.raises(FormatError, match="but a folder"):
        Source(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FormatError, match="is not a file"):
        Source(tmp_path / "pipe")
