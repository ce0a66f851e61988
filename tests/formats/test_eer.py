from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile

from emlab.errors import DataError, FormatError, ParameterError, TruncatedFile
from emlab.formats import ifd
from emlab.formats.eer import EerFrames, write_eer
from emlab.formats.movie import inspect
from emlab.formats.page_writer import PageWriter
from emlab.formats.source import Source
from emlab.formats.tiff import page_tags, read_tiff, write_tiff_movie

EVENTS = (np.random.default_rng(5).random((7, 32, 48)) < 0.1).astype(np.uint8)


def decoded(codes: bytes, shape: tuple[int, int], gap_bits: int, place_bits: int) -> np.ndarray:
    """Plain rendering of a raw frame at the finest grid, one bit after the other."""
    bits = np.unpackbits(np.frombuffer(codes, np.uint8), bitorder="little")

    def taken(count: int) -> int:
        nonlocal at
        at += count
        return int(sum(int(bit) << index for index, bit in enumerate(bits[at - count : at])))

    fine, at, pixel = 2**place_bits, 0, 0
    frame = np.zeros((shape[0] * fine, shape[1] * fine), int)
    while pixel < shape[0] * shape[1]:
        gap = taken(gap_bits)
        pixel += gap
        if gap == 2**gap_bits - 1 or pixel >= shape[0] * shape[1]:
            continue
        x, y = taken(place_bits), taken(place_bits)
        middle = fine // 2
        frame[pixel // shape[1] * fine + (y ^ middle), pixel % shape[1] * fine + (x ^ middle)] += 1
        pixel += 1
    return frame


def binned(frame: np.ndarray, factor: int) -> np.ndarray:
    return frame.reshape(frame.shape[0] // factor, factor, frame.shape[1] // factor, factor).sum(axis=(1, 3))


def encoded(pixels: list[int], shape: tuple[int, int], gap_bits: int) -> bytes:
    """A raw frame of electrons in the middle of pixels, one bit after the other."""
    bits: list[int] = []
    at, most = 0, 2**gap_bits - 1
    for pixel in [*pixels, shape[0] * shape[1]]:
        gap = pixel - at
        while gap >= most:
            bits += [1] * gap_bits
            gap -= most
        bits += [gap >> index & 1 for index in range(gap_bits)] + [0] * 4
        at = pixel + 1
    bits += [0] * (-len(bits) % 16 + 16)
    return np.packbits(np.array(bits, np.uint8), bitorder="little").tobytes()


def test_fractions_sum_raw_frames_and_leave_the_rest_out(tmp_path: Path) -> None:
    write_eer(tmp_path / "a.eer", EVENTS, 1.0)
    frames = EerFrames(tmp_path / "a.eer", grouping=3)
    assert frames.shape == (2, 32, 48)
    for _ in range(2):
        np.testing.assert_array_equal(list(frames), [EVENTS[:3].sum(axis=0), EVENTS[3:6].sum(axis=0)])


def test_a_fraction_of_many_raw_frames_does_not_overflow(tmp_path: Path) -> None:
    write_eer(tmp_path / "a.eer", [np.ones((4, 4), np.uint8)] * 300, 1.0)
    (fraction,) = EerFrames(tmp_path / "a.eer", grouping=300)
    assert (fraction == 300).all()


@pytest.mark.parametrize("frame", [np.zeros((16, 16)), np.ones((16, 16)), np.eye(16)[::-1], np.eye(16)])
def test_tifffile_reads_what_is_written(tmp_path: Path, frame: np.ndarray) -> None:
    write_eer(tmp_path / "a.eer", [frame, EVENTS[0, :16, :16]], 1.0)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "a.eer"), [frame, EVENTS[0, :16, :16]])


@pytest.mark.parametrize("gap", [0, 1, 126, 127, 128, 253, 254, 255, 508, 1022])
def test_every_gap_is_kept(tmp_path: Path, gap: int) -> None:
    frame = np.zeros((32, 32), np.uint8)
    frame.flat[[0, gap + 1]] = 1
    write_eer(tmp_path / "a.eer", [frame], 1.0)
    np.testing.assert_array_equal(next(iter(EerFrames(tmp_path / "a.eer"))), frame)


@pytest.mark.parametrize("fine", [2, 4])
def test_electrons_fall_into_the_parts_of_pixels_where_they_were_put(tmp_path: Path, fine: int) -> None:
    rng = np.random.default_rng(9)
    frame = np.zeros((16 * fine, 24 * fine), np.uint8)
    for pixel in rng.choice(16 * 24, 60, replace=False):
        y, x = divmod(pixel, 24)
        frame[y * fine + rng.integers(fine), x * fine + rng.integers(fine)] = 1
    write_eer(tmp_path / "a.eer", [frame], 1.0, upsampling=fine)
    half = EerFrames(tmp_path / "a.eer", upsampling=2)
    assert half.shape == (1, 32, 48)
    np.testing.assert_array_equal(next(iter(half)), binned(frame, fine // 2))
    np.testing.assert_array_equal(next(iter(EerFrames(tmp_path / "a.eer"))), binned(frame, fine))
    with Source(tmp_path / "a.eer") as source:
        (page,) = ifd.read_pages(source)
        codes = source.read(page.offsets[0], page.sizes[0])
    np.testing.assert_array_equal(binned(decoded(codes, (16, 24), 7, 2), 4 // fine), frame)


@pytest.mark.parametrize(
    ("compression", "gap_bits", "extra"),
    [(65000, 8, {}), (65001, 7, {}), (65002, 9, {65007: (3, [9]), 65008: (3, [2]), 65009: (3, [2])})],
)
def test_all_code_lengths_are_read(
    tmp_path: Path, compression: int, gap_bits: int, extra: dict[int, tuple[int, list[int]]]
) -> None:
    pixels = [0, 3, 700, 1535]
    with PageWriter(tmp_path / "a.eer", big=True) as file:
        tags = page_tags((32, 48), np.dtype(np.uint8), compression, 32, 1.0)
        file.append(tags | extra, [encoded(pixels, (32, 48), gap_bits)])
    (frame,) = EerFrames(tmp_path / "a.eer")
    assert np.flatnonzero(frame).tolist() == pixels


def test_an_odd_number_of_bytes_is_read(tmp_path: Path) -> None:
    codes = encoded([0, 3, 700, 1535], (32, 48), 7)
    with PageWriter(tmp_path / "a.eer", big=True) as file:
        file.append(page_tags((32, 48), np.dtype(np.uint8), 65001, 32, 1.0), [codes + b"\0"])
    (frame,) = EerFrames(tmp_path / "a.eer")
    assert np.flatnonzero(frame).tolist() == [0, 3, 700, 1535]


def test_a_frame_larger_than_its_bytes_can_hold_takes_no_memory(tmp_path: Path) -> None:
    with PageWriter(tmp_path / "a.eer", big=True) as file:
        file.append(page_tags((100_000, 100_000), np.dtype(np.uint8), 65001, 100_000, None), [bytes(1000)])
    with pytest.raises(FormatError, match="too short for their size"):
        EerFrames(tmp_path / "a.eer")


def test_a_sum_in_front_of_the_frames_is_left_out(tmp_path: Path) -> None:
    write_eer(tmp_path / "frames.eer", EVENTS[:1], 1.0)
    with Source(tmp_path / "frames.eer") as source:
        (page,) = ifd.read_pages(source)
        codes = source.read(page.offsets[0], page.sizes[0])
    with PageWriter(tmp_path / "a.eer", big=True) as file:
        file.append(page_tags((32, 48), np.dtype(np.uint16), 1, 32, 1.0), [bytes(32 * 48 * 2)])
        file.append(page_tags((32, 48), np.dtype(np.uint8), 65001, 32, 1.0), [codes])
    assert inspect(tmp_path / "a.eer").format == "eer"
    np.testing.assert_array_equal(list(EerFrames(tmp_path / "a.eer")), EVENTS[:1])


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    write_eer(tmp_path / "a.eer", EVENTS, 1.0)
    with pytest.raises(FormatError, match=r"has 7 raw frames, fewer than the 8 .* lower eer_grouping"):
        EerFrames(tmp_path / "a.eer", grouping=8)
    with pytest.raises(ParameterError, match="upsampling 3"):
        EerFrames(tmp_path / "a.eer", upsampling=3)
    write_tiff_movie(tmp_path / "a.tif", EVENTS, 1.0)
    with pytest.raises(FormatError, match="without electron events"):
        EerFrames(tmp_path / "a.tif")
    with pytest.raises(FormatError, match="emlab reads uncompressed"):
        read_tiff(tmp_path / "a.eer")
    whole = (tmp_path / "a.eer").read_bytes()
    (tmp_path / "a.eer").write_bytes(whole[:-1])
    with pytest.raises(TruncatedFile):
        EerFrames(tmp_path / "a.eer")


def test_no_frames_or_half_pixels_are_no_movie(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No frames"):
        write_eer(tmp_path / "a.eer", [], 1.0)
    with pytest.raises(DataError, match="multiples of 2"):
        write_eer(tmp_path / "a.eer", [np.ones((3, 4))], 1.0, upsampling=2)


@pytest.mark.data
def test_the_reference_movie_is_rendered_right(reference_data: Path) -> None:
    path = reference_data / "movies" / "movie_eer_1k" / "movie_eer_1k.eer"
    truth = json.loads((reference_data / "movies" / "movie_eer_1k_truth" / "movie_eer_1k.eer.json").read_text())
    fractions = EerFrames(path, grouping=6)
    assert list(fractions.shape) == truth["shape"]
    raw = tifffile.imread(path)
    stack = np.stack(list(fractions))
    np.testing.assert_array_equal(stack, raw.reshape(8, 6, 1024, 1024).sum(axis=1))
    assert 0.8 < stack.mean() / truth["dose_per_frame_e_px"] < 1
    half = next(iter(EerFrames(path, grouping=6, upsampling=2)))
    np.testing.assert_array_equal(binned(half, 2), stack[0])
    with Source(path) as source:
        page = next(ifd.read_pages(source))
        codes = source.read(page.offsets[0], page.sizes[0])
    # The first rows suffice for the slow way.
    np.testing.assert_array_equal(binned(decoded(codes, (16, 1024), 7, 2), 4), raw[0, :16])
