from __future__ import annotations

import struct
import warnings
from pathlib import Path

import mrcfile
import numpy as np
import pytest

from emlab.errors import DataError, FormatError, TruncatedFile
from emlab.formats.mrc import MrcFrames, read_mrc, write_mrc, write_mrc_movie

COUNTS = np.random.default_rng(3).integers(0, 100, (3, 7, 5))


@pytest.mark.parametrize(("dtype", "mode"), [("i1", 0), ("i2", 1), ("f4", 2), ("u2", 6), ("f2", 12)])
@pytest.mark.parametrize("shape", [(7, 5), (3, 7, 5)])
def test_mrcfile_reads_what_is_written(tmp_path: Path, dtype: str, mode: int, shape: tuple[int, ...]) -> None:
    array = COUNTS[: shape[0] if len(shape) == 3 else 1].astype(dtype).reshape(shape)
    write_mrc(tmp_path / "a.mrc", array, 1.25)
    with mrcfile.open(tmp_path / "a.mrc") as file:
        np.testing.assert_array_equal(file.data, array)
        assert file.header.mode == mode
        assert file.header.ispg == 0
        assert file.voxel_size.x == pytest.approx(1.25)
        assert file.header.dmean == pytest.approx(array.mean(dtype=float), rel=1e-6)
        assert file.header.rms == pytest.approx(array.std(dtype=float), rel=1e-6)
    # mrcfile sums float16 in float16 when it validates.
    assert dtype == "f2" or mrcfile.validate(tmp_path / "a.mrc")
    read, pixel_size = read_mrc(tmp_path / "a.mrc")
    assert read.dtype == dtype
    assert pixel_size == pytest.approx(1.25)
    np.testing.assert_array_equal(read, array)


@pytest.mark.parametrize("dtype", ["i1", "i2", "f4", "u2", "f2"])
def test_reads_what_mrcfile_writes_with_an_extended_header(tmp_path: Path, dtype: str) -> None:
    with mrcfile.new(tmp_path / "a.mrc") as file:
        file.set_data(COUNTS.astype(dtype))
        file.set_extended_header(np.frombuffer(bytes(1000), "V500"))
        file.voxel_size = 0.83
    read, pixel_size = read_mrc(tmp_path / "a.mrc")
    np.testing.assert_array_equal(read, COUNTS)
    assert pixel_size == pytest.approx(0.83)


@pytest.mark.parametrize(("mode", "dtype"), [(0, "i1"), (1, ">i2"), (2, ">f4")])
def test_reads_big_endian_files(tmp_path: Path, mode: int, dtype: str) -> None:
    header = bytearray(1024)
    struct.pack_into(">4i", header, 0, 5, 7, 3, mode)
    struct.pack_into(">3i3f", header, 28, 5, 7, 3, 10.0, 14.0, 6.0)
    (tmp_path / "a.mrc").write_bytes(bytes(header) + COUNTS.astype(dtype).tobytes())
    read, pixel_size = read_mrc(tmp_path / "a.mrc")
    assert read.dtype.isnative
    np.testing.assert_array_equal(read, COUNTS)
    assert pixel_size == pytest.approx(2.0)


@pytest.mark.parametrize("width", [6, 5])
def test_mode_101_has_the_first_pixel_in_the_low_bits(tmp_path: Path, width: int) -> None:
    header = bytearray(1024)
    struct.pack_into("<4i", header, 0, width, 2, 1, 101)
    (tmp_path / "a.mrc").write_bytes(bytes(header) + bytes([0x21, 0x43, 0x65, 0x87, 0xA9, 0x0B]))
    read, _ = read_mrc(tmp_path / "a.mrc")
    np.testing.assert_array_equal(read, [[1, 2, 3, 4, 5, 6][:width], [7, 8, 9, 10, 11, 0][:width]])


def mode_0(*, stamp: int = 0, flags: int = 0, low: float = 0.0, high: float = -1.0) -> bytes:
    header = bytearray(1024)
    struct.pack_into("<4i", header, 0, 2, 1, 1, 0)
    struct.pack_into("<2f", header, 76, low, high)
    struct.pack_into("<2i", header, 152, stamp, flags)
    return bytes(header) + b"\x01\xff"


@pytest.mark.parametrize(
    ("content", "second"),
    [
        (mode_0(), -1),
        (mode_0(stamp=1146047817, flags=1), -1),
        (mode_0(stamp=1146047817, flags=0), 255),
        (mode_0(low=0, high=255), 255),
    ],
)
def test_mode_0_is_signed_unless_the_header_says_otherwise(tmp_path: Path, content: bytes, second: int) -> None:
    (tmp_path / "a.mrc").write_bytes(content)
    assert read_mrc(tmp_path / "a.mrc")[0].tolist() == [[1, second]]


def test_two_counts_in_a_byte_of_mode_0_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.mrc").write_bytes(mode_0(stamp=1146047817, flags=16))
    with pytest.raises(FormatError, match="4-bit"):
        read_mrc(tmp_path / "a.mrc")


@pytest.mark.parametrize("cell", [0.0, float("nan"), float("inf"), -1.0])
def test_a_senseless_pixel_size_is_none(tmp_path: Path, cell: float) -> None:
    write_mrc(tmp_path / "a.mrc", COUNTS.astype("f4"), 1.0)
    data = bytearray((tmp_path / "a.mrc").read_bytes())
    struct.pack_into("<f", data, 40, cell)
    (tmp_path / "a.mrc").write_bytes(data)
    assert read_mrc(tmp_path / "a.mrc")[1] is None


def test_frames_are_read_one_at_a_time(tmp_path: Path) -> None:
    write_mrc(tmp_path / "a.mrc", COUNTS.astype("u2"), None)
    frames = MrcFrames(tmp_path / "a.mrc")
    assert frames.shape == (3, 7, 5)
    for _ in range(2):
        np.testing.assert_array_equal(list(frames), COUNTS)


def test_bytes_are_stored_so_that_every_program_reads_them_alike(tmp_path: Path) -> None:
    write_mrc(tmp_path / "a.mrc", np.array([[200, 3]], np.uint8), 1.0)
    assert mrcfile.read(tmp_path / "a.mrc").tolist() == [[200, 3]]


@pytest.mark.parametrize(
    "array", [np.zeros((2, 2)), np.zeros((2, 2), complex), np.zeros(3, "f4"), np.zeros((0, 2), "f4")]
)
def test_what_an_mrc_cannot_hold_is_refused(tmp_path: Path, array: np.ndarray) -> None:
    with pytest.raises(DataError):
        write_mrc(tmp_path / "a.mrc", array, 1.0)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("count", [None, 3])
def test_a_movie_written_frame_by_frame_is_whole_at_its_end(tmp_path: Path, count: int | None) -> None:
    path = tmp_path / "a.mrc"

    def frames():
        for frame in COUNTS.astype(np.uint8):
            yield frame
            with pytest.raises(FormatError):
                read_mrc(path)

    write_mrc_movie(path, frames() if count is None else iter(COUNTS.astype(np.uint8)), 0.5, count)
    read, pixel_size = read_mrc(path)
    np.testing.assert_array_equal(read, COUNTS)
    assert pixel_size == pytest.approx(0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(mrcfile.read(path), COUNTS)


def test_the_header_declares_all_frames_from_the_start(tmp_path: Path) -> None:
    path = tmp_path / "a.mrc"

    def frames():
        yield COUNTS[0].astype(np.uint8)
        with pytest.raises(TruncatedFile, match="declares 2 sections"):
            read_mrc(path)
        yield COUNTS[1].astype(np.uint8)

    write_mrc_movie(path, frames(), 0.5, 2)
    assert MrcFrames(path).shape == (2, 7, 5)
    with pytest.raises(DataError, match="1 frames were written to .*; expected 2"):
        write_mrc_movie(path, iter(COUNTS[:1].astype(np.uint8)), 0.5, 2)


def test_says_what_is_missing(tmp_path: Path) -> None:
    write_mrc(tmp_path / "a.mrc", COUNTS.astype("f4"), 1.0)
    whole = (tmp_path / "a.mrc").read_bytes()
    (tmp_path / "a.mrc").write_bytes(whole[:-1])
    with pytest.raises(
        TruncatedFile, match=r"has 1443 bytes, but its header declares 3 sections of 5 × 7 px, 1444 bytes"
    ):
        read_mrc(tmp_path / "a.mrc")
    (tmp_path / "a.mrc").write_bytes(bytes(5000))
    with pytest.raises(TruncatedFile, match="begins with zeros"):
        read_mrc(tmp_path / "a.mrc")


@pytest.mark.data
def test_real_files_are_read_as_mrcfile_reads_them(reference_data: Path) -> None:
    paths = [
        reference_data / "micrographs" / "fei-extended.mrc",
        *sorted((reference_data / "apoferritin").glob("*.mrc"))[:1],
        *sorted((reference_data / "relion").rglob("*.mrcs"))[:1],
        *sorted((reference_data / "relion").rglob("*_PS.mrc"))[:1],
    ]
    sizes = [0.8537755, 1.5, 3.54, 1.3995525]
    for path, size in zip(paths, sizes, strict=True):
        read, pixel_size = read_mrc(path)
        with mrcfile.open(path, permissive=True) as file:
            np.testing.assert_array_equal(read, file.data)
        assert pixel_size == pytest.approx(size)
