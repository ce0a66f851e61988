"""What cannot work is said before anything is started."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emlab.engine.pipeline import Stage, build_stages
from emlab.engine.preflight import preflight, survey
from emlab.errors import DataError, FormatError, ParameterError
from emlab.formats.mrc import write_mrc, write_mrc_movie
from emlab.model.watched import WatchedFolder
from emlab.protocols import PROTOCOLS
from emlab.workflow import parse_workflow


@pytest.fixture
def movies(tmp_path: Path) -> Path:
    (tmp_path / "square").mkdir()
    write_mrc_movie(tmp_path / "square" / "movie.mrcs", np.ones((3, 32, 48), np.uint8), 1.2)
    return tmp_path


def stage(folder: Path, **parameters: Any) -> Stage:
    step = {"name": "import", "protocol": "import_movies", "parameters": {"folder": str(folder), **parameters}}
    text = json.dumps({"name": "test", "title": "Test", "protocols": [step]})
    return build_stages(parse_workflow(text, ""), PROTOCOLS)[0]


def test_what_works_is_silent(movies: Path) -> None:
    write_mrc(movies / "gain.mrc", np.ones((32, 48), np.float32), 1.2)
    preflight(stage(movies, voltage=300, gain_reference=str(movies / "gain.mrc")))


def test_a_gain_that_lies_otherwise_is_refused_with_how_it_has_to_lie(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    gain = rng.normal(1, 0.1, (512, 512)).astype(np.float32)
    write_mrc_movie(
        tmp_path / "movie.mrcs", rng.poisson(4 / np.maximum(gain, 0.1), (4, *gain.shape)).astype(np.uint8), 1
    )
    as_stored = {(0, 0): gain, (0, 1): gain[::-1], (1, 2): np.rot90(gain[:, ::-1]), (3, 0): np.rot90(gain, -1)}
    for (rotation, flip), stored in as_stored.items():
        write_mrc(tmp_path / "gain.mrc", np.ascontiguousarray(stored), 1)
        given = {"voltage": 300, "gain_reference": str(tmp_path / "gain.mrc"), "pattern": "*.mrcs"}
        preflight(stage(tmp_path, **given, gain_rotation=rotation, gain_flip=flip))
        advice = f"Give gain_rotation={rotation} gain_flip={flip}; they are now 2 and 0"
        with pytest.raises(DataError, match=advice):
            preflight(stage(tmp_path, **given, gain_rotation=2))
    # Of another camera, or applied before: nothing that can be mended by turning it.
    write_mrc(tmp_path / "gain.mrc", rng.normal(1, 0.1, (512, 512)).astype(np.float32), 1)
    preflight(stage(tmp_path, **given))


def test_an_empty_folder_works(tmp_path: Path) -> None:
    preflight(stage(tmp_path, voltage=300))


@pytest.mark.parametrize(
    ("parameters", "error", "complaint"),
    [
        ({}, ParameterError, "voltage of .*movie.mrcs is not known.*give voltage"),
        ({"voltage": 300, "gain_reference": "{}/none.mrc"}, ParameterError, "gain_reference is .*none.mrc, but there"),
        ({"voltage": 300, "gain_reference": "{}/other.mrc"}, DataError, "other.mrc is .*48 × 32"),
        ({"voltage": 300, "gain_reference": "{}/text.mrc"}, FormatError, "text.mrc"),
        ({"voltage": 300, "defects": "{}/none.txt"}, ParameterError, "defects is .*none.txt, but there is no such"),
    ],
)
def test_what_cannot_work_is_refused(
    movies: Path, parameters: dict[str, Any], error: type[Exception], complaint: str
) -> None:
    write_mrc(movies / "other.mrc", np.ones((16, 48), np.float32), 1.2)
    (movies / "text.mrc").write_text("no image" * 1000)
    given = {name: value.format(movies) if isinstance(value, str) else value for name, value in parameters.items()}
    with pytest.raises(error, match=complaint):
        preflight(stage(movies, pattern="**/*.mrcs", **given))


def test_one_bad_movie_does_not_stop_a_session_but_nothing_else_than_bad_ones_does(movies: Path) -> None:
    bad = (movies / "square" / "movie.mrcs").read_bytes()[:4096]
    single = movies / "single.mrcs"
    write_mrc_movie(single, np.ones((1, 32, 48), np.uint8), 1.2)
    (movies / "cut.mrcs").write_bytes(bad)
    preflight(stage(movies, voltage=300))
    (movies / "square" / "movie.mrcs").unlink()
    with pytest.raises(FormatError, match="has one frame, but a movie has several"):
        preflight(stage(movies, voltage=300))


def test_a_survey_says_what_is_there(movies: Path) -> None:
    def said(**parameters: Any) -> str:
        return str(survey(WatchedFolder(folder=str(movies), **parameters)))

    assert said(pattern="**/*.mrcs") == f"1 file in {movies} to process."
    assert said(pattern="*.tiff").endswith("matches the pattern yet; the folder holds square/.")
    (movies / "notes.txt").touch()
    assert said(pattern="square/*.tiff").endswith("the folder holds notes.txt and 1 more.")
    (movies / "notes.txt").unlink()
    (movies / "square" / "movie.mrcs").unlink()
    assert said(pattern="**/*.tiff").endswith("is empty; files will be processed as they arrive.")


def test_squares_that_are_links_are_looked_into_as_the_engine_does(movies: Path, tmp_path: Path) -> None:
    watched = tmp_path / "watched"
    watched.mkdir()
    (watched / "square").symlink_to(movies / "square")
    (watched / "again").symlink_to(movies / "square")
    (watched / "back").symlink_to(watched)
    assert str(survey(WatchedFolder(folder=str(watched), pattern="**/*.mrcs"))).startswith("1 file in ")
    with pytest.raises(ParameterError, match=r"voltage of .*movie.mrcs is not known"):
        preflight(stage(watched))


def test_a_folder_that_is_not_there_is_named_with_what_is(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=f"no folder .*a/b; only {tmp_path}"):
        preflight(stage(tmp_path / "a" / "b"))
    (tmp_path / "file").write_text("")
    with pytest.raises(ParameterError, match="it is a file"):
        preflight(stage(tmp_path / "file"))
