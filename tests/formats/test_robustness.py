"""Damaged files end in one family of errors, and never in much memory."""

from __future__ import annotations

import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emlab.errors import EmlabError
from emlab.formats.array import read_array, write_array
from emlab.formats.completeness import check_complete
from emlab.formats.defects import read_defects
from emlab.formats.eer import write_eer
from emlab.formats.epu import read_epu_xml
from emlab.formats.gain import read_gain
from emlab.formats.mdoc import read_mdoc
from emlab.formats.movie import inspect, open_movie
from emlab.formats.mrc import write_mrc, write_mrc_movie
from emlab.formats.star import read_star, write_star
from emlab.formats.tiff import write_tiff_movie

SHAPE = (3, 40, 60)
MOST_BYTES = 64 << 20


def read_movie(path: Path) -> None:
    check_complete(path)
    inspect(path)
    for _ in open_movie(path, eer_grouping=2):
        pass


def seeds(folder: Path) -> dict[str, tuple[Path, Callable[[Path], object]]]:
    """A small file of each kind, and what reads it."""
    movie = np.random.default_rng(7).poisson(0.3, SHAPE).astype(np.uint8)
    made: dict[str, tuple[Path, Callable[[Path], object]]] = {}
    write_mrc_movie(folder / "movie.mrc", movie, 1.2)
    write_mrc(folder / "float.mrc", movie.astype(np.float32), 1.2)
    for compression in ("none", "lzw", "deflate"):
        write_tiff_movie(folder / f"{compression}.tif", movie, 1.2, compression)
    write_eer(folder / "movie.eer", movie, 1.2)
    for name in ("movie.mrc", "float.mrc", "none.tif", "lzw.tif", "deflate.tif", "movie.eer"):
        made[name] = folder / name, read_movie
    write_tiff_movie(folder / "gain.tif", movie[:1].astype(np.float32) + 1, 1.2)
    made["gain.tif"] = folder / "gain.tif", lambda path: read_gain(path, SHAPE[1:], rotation=1)
    (folder / "defects.txt").write_text("1 2 3 4\n10 0 1 40\n")
    made["defects.txt"] = folder / "defects.txt", lambda path: read_defects(path, SHAPE[1:])
    (folder / "a.xml").write_text(
        '<MicroscopeImage xmlns="x"><microscopeData><gun><AccelerationVoltage>3e5</AccelerationVoltage></gun>'
        "<acquisition><acquisitionDateTime>2025-01-08T15:49:21+00:00</acquisitionDateTime></acquisition>"
        "</microscopeData></MicroscopeImage>"
    )
    made["a.xml"] = folder / "a.xml", read_epu_xml
    (folder / "a.mdoc").write_text("Voltage = 300\n\n[FrameSet = 0]\nBinning = 2\nUncroppedSize = -10 10\n")
    made["a.mdoc"] = folder / "a.mdoc", read_mdoc
    write_star(folder / "a.star", {"general": {"rlnA": 1}, "table": {"rlnB": [1, 2], "rlnC": ["x", "y z"]}})
    made["a.star"] = folder / "a.star", read_star
    write_array(folder / "a.npy", movie[0].astype(np.float32))
    made["a.npy"] = folder / "a.npy", read_array
    return made


@st.composite
def damages(draw: st.DrawFn) -> Callable[[bytes], bytes]:
    """A few changes: bytes, words with telling values, a missing end, something between."""
    words = st.sampled_from([0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
    kinds = st.sampled_from(["byte", "word", "long", "cut", "insert"])
    steps = draw(st.lists(st.tuples(kinds, st.floats(0, 1), words, st.booleans()), min_size=1, max_size=4))

    def damaged(data: bytes) -> bytes:
        for kind, where, word, at_start in steps:
            position = int(where * min(len(data), 300 if at_start else len(data)))
            before, after = data[:position], data[position:]
            match kind:
                case "byte":
                    data = before + bytes([word & 255]) + after[1:]
                case "word":
                    data = before + struct.pack("<I", word) + after[4:]
                case "long":
                    data = before + struct.pack("<Q", word << 32 | word) + after[8:]
                case "cut":
                    data = before
                case "insert":
                    data = before + struct.pack("<H", word & 0xFFFF) + after
        return data

    return damaged


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Callable[[Path], object]]]:
    return seeds(tmp_path_factory.mktemp("seeds"))


@pytest.mark.parametrize(
    "name",
    [
        "movie.mrc", "float.mrc", "none.tif", "lzw.tif", "deflate.tif", "movie.eer",
        "gain.tif", "defects.txt", "a.xml", "a.mdoc", "a.star", "a.npy",
    ],
)  # fmt: skip
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(damage=damages())
def test_damage_gives_an_emlab_error_and_takes_little_memory(
    name: str,
    kinds: dict[str, tuple[Path, Callable[[Path], object]]],
    damage: Callable[[bytes], bytes],
) -> None:
    path, read = kinds[name]
    damaged = path.with_name("damaged-" + name)
    damaged.write_bytes(damage(path.read_bytes()))
    tracemalloc.start()
    try:
        read(damaged)
    except EmlabError as error:
        assert str(damaged) in str(error)  # noqa: PT017 (an error may come or not)
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < MOST_BYTES


@pytest.mark.parametrize("name", ["movie.mrc", "none.tif", "lzw.tif", "deflate.tif", "movie.eer"])
def test_every_cut_is_seen(name: str, kinds: dict[str, tuple[Path, Callable[[Path], object]]]) -> None:
    path, _ = kinds[name]
    data = path.read_bytes()
    cut = path.with_name("cut-" + name)
    for length in range(0, len(data), 41):
        cut.write_bytes(data[:length])
        assert check_complete(cut).state == "growing", length
    assert check_complete(path).state == "complete"
