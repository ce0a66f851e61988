from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from emlab.errors import DataError, FormatError, TruncatedFile
from emlab.formats.movie import inspect
from emlab.formats.page_writer import PageWriter
from emlab.formats.tiff import Compression, TiffFrames, page_tags, read_tiff, write_tiff_movie

COUNTS = np.random.default_rng(3).poisson(2, (3, 70, 50)).astype(np.uint8)


@pytest.mark.parametrize("compression", ["none", "lzw", "deflate"])
@pytest.mark.parametrize("dtype", ["u1", "u2", "i2", "f4"])
def test_tifffile_reads_what_is_written(tmp_path: Path, compression: Compression, dtype: str) -> None:
    array = COUNTS.astype(dtype)
    write_tiff_movie(tmp_path / "a.tif", array, 0.8538, compression)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "a.tif"), array[:, ::-1])
    read, pixel_size = read_tiff(tmp_path / "a.tif")
    assert read.dtype == dtype
    np.testing.assert_array_equal(read, array)
    assert pixel_size == pytest.approx(0.8538, rel=1e-7)


@pytest.mark.parametrize("compression", [None, "lzw", "zlib"])
@pytest.mark.parametrize("options", [{"bigtiff": True}, {"byteorder": ">"}, {}])
@pytest.mark.parametrize("predictor", [False, True])
def test_reads_what_tifffile_writes(
    tmp_path: Path, compression: str | None, options: dict[str, object], predictor: bool
) -> None:
    if predictor and compression is None:
        pytest.skip("a predictor goes with a compression")
    array = COUNTS.astype("u2") * 300
    tifffile.imwrite(
        tmp_path / "a.tif", array, compression=compression, predictor=predictor, photometric="minisblack",
        rowsperstrip=16, **options,
    )  # fmt: skip
    read, pixel_size = read_tiff(tmp_path / "a.tif")
    assert read.dtype == np.uint16
    assert read.dtype.isnative
    assert read.flags.c_contiguous
    np.testing.assert_array_equal(read, array[:, ::-1])
    assert pixel_size is None


def test_the_resolution_of_a_printer_is_no_pixel_size(tmp_path: Path) -> None:
    for resolution, unit in (((72, 72), 2), ((0, 1), 3), ((1e8, 1e8), 1)):
        tifffile.imwrite(tmp_path / "a.tif", COUNTS[0], resolution=resolution, resolutionunit=unit)
        assert read_tiff(tmp_path / "a.tif")[1] is None
    tifffile.imwrite(tmp_path / "a.tif", COUNTS[0], resolution=(1e8 / 1.5, 1e8 / 1.5), resolutionunit=3)
    assert read_tiff(tmp_path / "a.tif")[1] == pytest.approx(1.5)
    tifffile.imwrite(tmp_path / "a.tif", COUNTS[0], resolution=(2.54e8 / 1.5, 2.54e8 / 1.5), resolutionunit=2)
    assert read_tiff(tmp_path / "a.tif")[1] == pytest.approx(1.5)


@pytest.mark.parametrize("orientation", [None, 1, 4])
@pytest.mark.parametrize("rows", [1, 16, 70])
def test_the_last_row_is_read_first_whatever_the_orientation(
    tmp_path: Path, orientation: int | None, rows: int
) -> None:
    """As RELION (``rwTIFF.h``), MotionCor, IMOD and SerialEM read a TIFF: y counts from the end of the file."""
    tags = [(274, 3, 1, orientation, True)] if orientation else []
    tifffile.imwrite(tmp_path / "a.tif", COUNTS[0], rowsperstrip=rows, extratags=tags)
    assert read_tiff(tmp_path / "a.tif")[0].tolist() == COUNTS[0].tolist()[::-1]


def test_frames_are_decoded_one_at_a_time(tmp_path: Path) -> None:
    write_tiff_movie(tmp_path / "a.tif", COUNTS, None)
    frames = TiffFrames(tmp_path / "a.tif")
    assert frames.shape == COUNTS.shape
    for _ in range(2):
        np.testing.assert_array_equal(list(frames), COUNTS)


def test_a_movie_in_the_making_is_a_valid_shorter_movie(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"

    def frames():
        for number, frame in enumerate(COUNTS):
            if number:
                assert TiffFrames(path).shape[0] == number
            else:
                with pytest.raises(TruncatedFile):
                    TiffFrames(path)
            yield frame

    write_tiff_movie(path, frames(), 1.0)


@pytest.mark.parametrize("count", [1, 3])
def test_pixels_beyond_the_end_are_missed(tmp_path: Path, count: int) -> None:
    """tifffile puts a directory in front of its pixels, and reads such a file as shorter when it is cut."""
    tifffile.imwrite(tmp_path / "a.tif", COUNTS[:count], photometric="minisblack", metadata=None)
    whole = (tmp_path / "a.tif").read_bytes()
    for length in range(8, len(whole) - 100, 101):
        (tmp_path / "a.tif").write_bytes(whole[:length])
        with pytest.raises(TruncatedFile):
            TiffFrames(tmp_path / "a.tif")


def test_a_chain_that_runs_in_a_circle_ends(tmp_path: Path) -> None:
    write_tiff_movie(tmp_path / "a.tif", COUNTS, None)
    data = bytearray((tmp_path / "a.tif").read_bytes())
    data[-4:] = data[4:8]
    (tmp_path / "a.tif").write_bytes(data)
    with pytest.raises(FormatError, match="forms a loop"):
        TiffFrames(tmp_path / "a.tif")


def test_a_page_larger_than_its_bytes_can_hold_takes_no_memory(tmp_path: Path) -> None:
    with PageWriter(tmp_path / "a.tif", big=False) as file:
        file.append(page_tags((100_000, 100_000), np.dtype(np.uint8), 5, 100_000, None), [bytes(1000)])
    with pytest.raises(FormatError, match="1000 bytes cannot hold 100000 × 100000 px"):
        next(iter(TiffFrames(tmp_path / "a.tif")))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tile": (16, 16)}, "tiles or colours"),
        ({"compression": "packbits"}, "emlab reads uncompressed, LZW and deflate"),
    ],
)
def test_unusual_tiffs_are_refused_with_advice(tmp_path: Path, options: dict[str, object], message: str) -> None:
    tifffile.imwrite(tmp_path / "a.tif", COUNTS, photometric="minisblack", **options)
    with pytest.raises(FormatError, match=message):
        TiffFrames(tmp_path / "a.tif")


def test_colours_are_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((9, 9, 3), np.uint8), photometric="rgb")
    with pytest.raises(FormatError, match="tiles or colours"):
        TiffFrames(tmp_path / "a.tif")


def test_images_of_different_size_are_no_movie(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(COUNTS[0])
        file.write(COUNTS[0, :-1])
    with pytest.raises(FormatError, match="frame 2 is 50 × 69 px of 8 bits, the first 50 × 70 px"):
        TiffFrames(tmp_path / "a.tif")


def test_reduced_copies_are_left_out(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(COUNTS[0])
        file.write(COUNTS[0, ::2, ::2], subfiletype=1)
    np.testing.assert_array_equal(read_tiff(tmp_path / "a.tif")[0], COUNTS[0, ::-1])


@pytest.mark.parametrize(("width", "height"), [(3710, 7676), (3838, 7420)])
def test_frames_of_4_bits_are_known_by_their_size(tmp_path: Path, width: int, height: int) -> None:
    """As SerialEM writes super-resolution, in half as many bytes: the first of two counts is in the low bits."""
    stored = np.zeros((height, width), np.uint8)
    stored[-1, :3] = 0x21, 0x43, 0xF5
    stored[0, -1] = 0x70
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, stored, compression="zlib", photometric="minisblack")
    facts = inspect(path)
    assert (facts.height, facts.width, facts.description) == (height, 2 * width, "TIFF deflate 4-bit")
    (frame,) = TiffFrames(path)
    assert (frame.shape, frame.dtype) == ((height, 2 * width), np.uint8)
    assert frame[0, :7].tolist() == [1, 2, 3, 4, 5, 15, 0]
    assert frame[-1, -2:].tolist() == [0, 7]
    tifffile.imwrite(path, stored[:, 1:], compression="zlib", photometric="minisblack")
    assert inspect(path).width == width - 1
    tifffile.imwrite(path, stored.astype(np.int8), compression="zlib", photometric="minisblack")
    assert inspect(path).width == width


def test_no_frames_are_no_movie(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No frames"):
        write_tiff_movie(tmp_path / "a.tif", iter(()), 1.0)
    with pytest.raises(DataError, match="frame"):
        write_tiff_movie(tmp_path / "a.tif", COUNTS[None], 1.0)


@pytest.mark.data
def test_real_kinds_of_files_are_read_as_tifffile_reads_them_upside_down(reference_data: Path) -> None:
    folder = reference_data / "movies" / "session_1k"
    movie = min(folder.rglob("*_Fractions.tiff"))
    np.testing.assert_array_equal(read_tiff(movie)[0], tifffile.imread(movie)[:, ::-1])
    assert read_tiff(movie)[1] == pytest.approx(1.5)
    np.testing.assert_array_equal(read_tiff(folder / "gain.tif")[0], tifffile.imread(folder / "gain.tif")[::-1])
