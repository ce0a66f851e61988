from __future__ import annotations

from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest

from emlab.engine.watcher.patterns import Patterns
from emlab.engine.workbench import FolderWorkbench
from emlab.errors import DataError, FormatError, ParameterError
from emlab.formats.mrc import write_mrc
from emlab.formats.tiff import write_tiff_movie
from emlab.model import Arrival, Micrograph, validated
from emlab.protocols.import_micrographs import ImportMicrographs, import_micrographs

IMAGE = np.random.default_rng(3).normal(100, 10, (600, 1100)).astype(np.float32)


def imported(path: Path, root: Path, **given: Any) -> Micrograph:
    parameters = validated(ImportMicrographs, {"folder": str(path.parent), **given}, "import")
    arrival = Arrival(key="item", path=str(path), size=path.stat().st_size, modified=1.0, evidence="closed")
    micrograph = import_micrographs.function(arrival, parameters, FolderWorkbench(root, "import", "item"))
    assert isinstance(micrograph, Micrograph)
    return micrograph


@pytest.mark.parametrize("name", ["a.mrc", "a.tif"])
def test_a_micrograph_keeps_its_file_and_gets_a_thumbnail(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name == "a.mrc":
        write_mrc(path, IMAGE, 1.5)
    else:
        write_tiff_movie(path, IMAGE[None], 1.5)
    micrograph = imported(path, tmp_path, voltage=300, total_dose=40)
    assert (micrograph.key, micrograph.path) == ("item", str(path))
    assert (micrograph.height, micrograph.width, micrograph.total_dose) == (600, 1100, 40)
    assert micrograph.pixel_size == pytest.approx(1.5)
    assert micrograph.thumbnail is not None
    assert imagecodecs.jpeg8_decode((tmp_path / micrograph.thumbnail).read_bytes()).shape == (200, 366)
    assert (micrograph.shift_x, micrograph.power_spectrum, micrograph.total_motion) == ((), None, None)


def test_a_movie_is_no_micrograph(tmp_path: Path) -> None:
    write_mrc(tmp_path / "a.mrc", IMAGE.reshape(2, 300, 1100), 1.5)
    with pytest.raises(FormatError, match="has 2 frames, but a micrograph has one: import movies with import_movies"):
        imported(tmp_path / "a.mrc", tmp_path, voltage=300)


@pytest.mark.parametrize(
    ("value", "message"),
    [(np.nan, "not finite numbers"), (np.inf, "not finite numbers"), (7, "is blank: every pixel is 7")],
)
def test_pixels_are_looked_at(tmp_path: Path, value: float, message: str) -> None:
    image = np.full((20, 30), 7, np.float32)
    image[3, 4] = value
    write_mrc(tmp_path / "a.mrc", image, 1.5)
    with pytest.raises(DataError, match=message):
        imported(tmp_path / "a.mrc", tmp_path, voltage=300)


def test_what_nothing_tells_is_asked_for(tmp_path: Path) -> None:
    write_mrc(tmp_path / "a.mrc", IMAGE, None)
    with pytest.raises(ParameterError, match="give pixel_size"):
        imported(tmp_path / "a.mrc", tmp_path, voltage=300)
    with pytest.raises(ParameterError, match="give voltage"):
        imported(tmp_path / "a.mrc", tmp_path, pixel_size=1.5)


def test_it_is_described_for_forms() -> None:
    assert import_micrographs.is_source
    for field in ImportMicrographs.model_fields.values():
        assert field.title
        assert field.description


@pytest.mark.data
def test_real_micrographs_are_imported(reference_data: Path, tmp_path: Path) -> None:
    krios = imported(reference_data / "micrographs" / "fei-extended.mrc", tmp_path, voltage=300)
    assert (krios.height, krios.width) == (3838, 3710)
    assert krios.pixel_size == pytest.approx(0.8537755)
    for path in (reference_data / "apoferritin").glob("*.mrc"):
        assert imported(path, tmp_path, voltage=300).pixel_size == pytest.approx(1.5)


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("a/May08_03.05.02.mrc", True),
        ("FoilHole_12_Data_34_5_20251003_100140.mrc", True),
        # Called so by who aligned EPU's movies.
        ("FoilHole_12_Data_34_5_20251003_100140_Fractions.mrc", True),
        ("FoilHole_12_Data_34_5_20251003_100140_Fractions.tiff", False),
        ("gain.mrc", False),
        ("again.mrc", True),
        ("20170629_00046_frameImage_PS.mrc", False),
        ("20170629_00046_frameImage_noDW.mrc", False),
        ("20170629_00046_frameImage_EVN.mrc", False),
        ("20170629_00046_frameImage_ODD.mrc", False),
    ],
)
def test_micrographs_are_taken_by_default_and_neither_movies_nor_spectra(name: str, taken: bool) -> None:
    patterns = Patterns(validated(ImportMicrographs, {"folder": "/a"}, "import").patterns)
    assert patterns.match(name) is taken
