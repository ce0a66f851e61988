from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emlab.formats.completeness import check_complete
from emlab.formats.eer import write_eer
from emlab.formats.mrc import write_mrc
from emlab.formats.tiff import write_tiff_movie

COUNTS = np.random.default_rng(3).integers(0, 2, (3, 20, 30)).astype(np.uint8)


def test_whole_files_tell_their_frames(tmp_path: Path) -> None:
    write_mrc(tmp_path / "a.mrc", COUNTS, 1.0)
    write_tiff_movie(tmp_path / "a.tif", COUNTS, 1.0)
    write_eer(tmp_path / "a.eer", COUNTS, 1.0)
    for name in ("a.mrc", "a.tif", "a.eer"):
        found = check_complete(tmp_path / name)
        assert (found.state, found.frames, found.message) == ("complete", 3, "")


@pytest.mark.parametrize("content", [b"", b"II", b"II*\0", b"II*\0\0\0\0\0", bytes(2000), b"\x40\0\0\0\x40\0\0\0"])
def test_beginnings_may_grow(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)
    found = check_complete(tmp_path / "a")
    assert found.state == "growing"
    assert str(tmp_path / "a") in found.message


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(2000), "a PNG picture"),
        (b"\xff\xd8\xff\xe0" + bytes(2000), "a JPEG picture"),
        (b"\0\0\0\x04\0\0\0\0\0\1" + bytes(2000), "DM4"),
        (b"<?xml version='1.0'?>" + b" " * 2000, "an XML text"),
        (b"data_optics\n\nloop_\n" * 100, "a text"),
        (b"\x93NUMPY\x01\0" + b"\xff" * 2000, "is not an MRC"),
    ],
)
def test_foreign_files_are_named(tmp_path: Path, content: bytes, name: str) -> None:
    (tmp_path / "a").write_bytes(content)
    found = check_complete(tmp_path / "a")
    assert found.state == "foreign"
    assert name in found.message


def test_a_file_that_is_gone_is_not_waited_for(tmp_path: Path) -> None:
    assert check_complete(tmp_path / "a").state == "foreign"


@pytest.mark.data
def test_reference_files_are_complete(reference_data: Path) -> None:
    movies = reference_data / "movies"
    expected = {".tiff": 24, ".eer": 48, ".gain": 1}
    for path in [*movies.rglob("*.tiff"), *movies.rglob("*.eer"), *movies.rglob("*.gain")]:
        assert check_complete(path).frames == expected[path.suffix]
    for path in [*(reference_data / "apoferritin").glob("*.mrc"), *(reference_data / "micrographs").glob("*.mrc")]:
        assert check_complete(path).frames == 1
    for path in (reference_data / "epu").rglob("*.jpg"):
        assert check_complete(path).state == "foreign"
