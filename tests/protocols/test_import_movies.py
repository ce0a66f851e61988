from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emlab.engine.watcher.patterns import Patterns
from emlab.engine.workbench import FolderWorkbench
from emlab.errors import FormatError, ParameterError
from emlab.formats.eer import write_eer
from emlab.formats.mrc import write_mrc
from emlab.formats.tiff import write_tiff_movie
from emlab.model import Arrival, Movie, validated
from emlab.protocols.import_movies import ImportMovies, import_movies

NAME = "FoilHole_12_Data_34_5_20251003_100140"
XML = """<MicroscopeImage xmlns="x"><CustomData><E><Key>Dose</Key><Value>4E+21</Value></E></CustomData>
<SpatialScale><pixelSize><x><numericValue>1.5E-10</numericValue></x></pixelSize></SpatialScale><microscopeData>
<gun><AccelerationVoltage>300000</AccelerationVoltage></gun><acquisition>
<acquisitionDateTime>2025-10-03T10:01:35Z</acquisitionDateTime>
<camera><ReadoutArea><width>30</width></ReadoutArea></camera></acquisition></microscopeData></MicroscopeImage>"""
COUNTS = (np.random.default_rng(3).random((80, 40, 60)) < 0.1).astype(np.uint8)


def imported(path: Path, **given: Any) -> Movie:
    parameters = validated(ImportMovies, {"folder": str(path.parent), **given}, "import")
    arrival = Arrival(key="item", path=str(path), size=path.stat().st_size, modified=1.0, evidence="closed")
    movie = import_movies.function(arrival, parameters, FolderWorkbench(path.parent, "out", "item"))
    assert isinstance(movie, Movie)
    return movie


def test_a_movie_with_its_xml_needs_no_parameter(tmp_path: Path) -> None:
    folder = tmp_path / "GridSquare_77" / "Data"
    folder.mkdir(parents=True)
    write_tiff_movie(folder / f"{NAME}_Fractions.tiff", COUNTS, None)
    (folder / f"{NAME}.xml").write_text(XML)
    movie = imported(folder / f"{NAME}_Fractions.tiff")
    assert (movie.key, movie.frames, movie.height, movie.width) == ("item", 80, 40, 60)
    assert movie.pixel_size == pytest.approx(0.75)
    assert (movie.voltage, movie.grid_square, movie.hole) == (300, "77", "12")
    assert movie.dose_per_frame == pytest.approx(0.5)
    assert movie.acquired_at == datetime(2025, 10, 3, 10, 1, 35, tzinfo=UTC).timestamp()
    assert (movie.eer_grouping, movie.eer_upsampling) == (None, 1)
    assert movie.path == str(folder / f"{NAME}_Fractions.tiff")
    assert movie.size == (folder / f"{NAME}_Fractions.tiff").stat().st_size


def test_what_a_person_gives_wins(tmp_path: Path) -> None:
    write_mrc(tmp_path / f"{NAME}_fractions.mrc", COUNTS, 9.0)
    (tmp_path / f"{NAME}.xml").write_text(XML)
    movie = imported(
        tmp_path / f"{NAME}_fractions.mrc",
        pixel_size=1.1,
        voltage=200,
        dose_per_frame=2,
        pre_exposure=3,
        spherical_aberration=0.01,
        amplitude_contrast=0.1,
        gain_reference=str(tmp_path / "gain.tif"),
        gain_rotation=1,
        gain_flip=2,
        defects=str(tmp_path / "defects.txt"),
    )
    assert (movie.pixel_size, movie.voltage, movie.dose_per_frame, movie.pre_exposure) == (1.1, 200, 2, 3)
    assert (movie.spherical_aberration, movie.amplitude_contrast) == (0.01, 0.1)
    assert (movie.gain_rotation, movie.gain_flip) == (1, 2)
    assert movie.gain_reference == str(tmp_path / "gain.tif")
    assert movie.defects == str(tmp_path / "defects.txt")


def test_without_a_sidecar_the_header_tells_the_pixel_size_and_nothing_the_dose(tmp_path: Path) -> None:
    write_tiff_movie(tmp_path / "a.tif", COUNTS, 1.25)
    movie = imported(tmp_path / "a.tif", voltage=300)
    assert movie.pixel_size == pytest.approx(1.25)
    assert (movie.dose_per_frame, movie.acquired_at) == (None, None)
    with pytest.raises(ParameterError, match="give voltage"):
        imported(tmp_path / "a.tif")
    write_tiff_movie(tmp_path / "b.tif", COUNTS, None)
    with pytest.raises(ParameterError, match="give pixel_size"):
        imported(tmp_path / "b.tif", voltage=300)


def test_fractions_of_an_eer_are_of_about_one_electron(tmp_path: Path) -> None:
    write_eer(tmp_path / f"{NAME}_EER.eer", COUNTS, None)
    (tmp_path / f"{NAME}.xml").write_text(XML)
    movie = imported(tmp_path / f"{NAME}_EER.eer")
    assert (movie.eer_grouping, movie.frames) == (2, 40)
    assert movie.dose_per_frame == pytest.approx(1.0)
    assert (movie.pixel_size, movie.height, movie.width) == (0.75, 40, 60)


def test_an_eer_read_as_8k_has_half_the_pixels(tmp_path: Path) -> None:
    write_eer(tmp_path / f"{NAME}_EER.eer", COUNTS, None)
    (tmp_path / f"{NAME}.xml").write_text(XML)
    movie = imported(tmp_path / f"{NAME}_EER.eer", eer_grouping=3, eer_upsampling=2)
    assert (movie.frames, movie.height, movie.width, movie.eer_upsampling) == (26, 80, 120, 2)
    assert movie.pixel_size == pytest.approx(0.375)
    assert movie.dose_per_frame == pytest.approx(1.5)


@pytest.mark.parametrize(("raw", "grouping", "frames"), [(80, 2, 40), (30, 1, 30)])
def test_an_eer_of_unknown_dose_has_some_40_fractions(tmp_path: Path, raw: int, grouping: int, frames: int) -> None:
    write_eer(tmp_path / "a.eer", COUNTS[:raw], 1.0)
    movie = imported(tmp_path / "a.eer", voltage=300)
    assert (movie.eer_grouping, movie.frames) == (grouping, frames)


def test_upsampling_is_that_of_eers_only(tmp_path: Path) -> None:
    write_tiff_movie(tmp_path / "a.tif", COUNTS, 1.0)
    movie = imported(tmp_path / "a.tif", voltage=300, eer_upsampling=2, eer_grouping=4)
    assert (movie.frames, movie.width, movie.eer_upsampling, movie.eer_grouping) == (80, 60, 1, None)


def test_a_dose_of_fractions_needs_their_size(tmp_path: Path) -> None:
    write_eer(tmp_path / "a.eer", COUNTS, 1.0)
    with pytest.raises(ParameterError, match="give eer_grouping too"):
        imported(tmp_path / "a.eer", voltage=300, dose_per_frame=1)


def test_an_image_is_no_movie(tmp_path: Path) -> None:
    write_tiff_movie(tmp_path / "a.tif", COUNTS[:1], 1.0)
    with pytest.raises(FormatError, match="has one frame, but a movie has several"):
        imported(tmp_path / "a.tif", voltage=300)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"pixel_size": 0}, "pixel_size is 0 Å; input should be greater than 0 Å"),
        ({"voltage": -300}, "voltage is -300 kV"),
        ({"gain_rotation": 4}, "gain_rotation is 4"),
        ({"eer_upsampling": 4}, "eer_upsampling is 4"),
        ({"amplitude_contrast": 7}, "amplitude_contrast is 7"),
        ({"dose_per_frame": "much"}, "dose_per_frame is 'much'"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_read(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        validated(ImportMovies, {"folder": "/a", **given}, "import")


def test_it_is_described_for_forms() -> None:
    assert import_movies.is_source
    assert import_movies.summary == "Import each movie as soon as it is complete."
    for field in ImportMovies.model_fields.values():
        assert field.title
        assert field.description


@pytest.mark.data
def test_reference_movies_are_imported(reference_data: Path) -> None:
    paths = sorted((reference_data / "movies" / "session_1k").rglob("*_Fractions.tiff"))
    movies = [imported(path) for path in paths]
    assert len(movies) == 4
    for movie in movies:
        assert (movie.frames, movie.height, movie.width, movie.voltage) == (24, 1024, 1024, 300)
        assert movie.pixel_size == pytest.approx(1.5)
        assert movie.dose_per_frame == pytest.approx(2.0)
        assert movie.grid_square == "12802483"
    assert [movie.acquired_at for movie in movies] == [1759485600, 1759485700, 1759485720, 1759485740]
    path = reference_data / "movies" / "movie_eer_1k" / "movie_eer_1k.eer"
    movie = imported(path, pixel_size=1.8, voltage=300, eer_grouping=6, dose_per_frame=0.7)
    assert (movie.frames, movie.pixel_size, movie.dose_per_frame) == (8, 1.8, 0.7)


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        (f"GridSquare_7/Data/{NAME}_Fractions.tiff", True),
        (f"GridSquare_7/Data/{NAME}_fractions.mrc", True),
        (f"GridSquare_7/Data/{NAME}_EER.eer", True),
        ("frames_007_33.0_Oct08_07.39.05.tif", True),
        ("stack.mrcs", True),
        (f"GridSquare_7/Data/{NAME}.mrc", False),
        (f"GridSquare_7/Data/{NAME}.xml", False),
        (f"GridSquare_7/Data/{NAME}.jpg", False),
        ("gain.tif", False),
        ("GridSquare_7/SuperRef_Gain_x1.mrc", False),
        ("20251003_100000_EER_GainReference.gain", False),
        ("gain_x1.mrc", False),
        ("Gain.mrc", False),
        ("gainref.tif", False),
        ("20251003_GainReference.tif", False),
        ("CountRef_2x-gain.mrc", False),
        ("SuperRefGain.mrc", False),
        ("grid2_again_001.tif", True),
        ("AgainstAll_1.tiff", True),
        ("Gainesville_1.tif", True),
        ("bargains/movie_1.TIF", True),
        ("MOVIE_1.MRC", True),
    ],
)
def test_movies_are_taken_by_default_and_neither_sums_nor_gains(name: str, taken: bool) -> None:
    patterns = Patterns(validated(ImportMovies, {"folder": "/a"}, "import").patterns)
    assert patterns.match(name) is taken
