"""Which files a watched folder's patterns mean."""

from __future__ import annotations

import pytest

from emlab.engine.watcher.patterns import Patterns
from emlab.errors import ParameterError

EPU = "Images-Disc1/GridSquare_1/Data/FoilHole_2_Data_3_4_20240406_102420_Fractions.tiff"


@pytest.mark.parametrize(
    ("pattern", "file", "is_meant"),
    [
        ("*.tiff", "a.tiff", True),
        ("*.tiff", "a.TIFF", True),
        ("*_Fractions.tiff", "a_fractions.tiff", False),
        ("Data.X/*.tiff", "Data.x/a.tiff", False),
        ("*.mrc?", "a.mrcs", True),
        ("movie", "movie", True),
        ("*.*", "a.TIF", True),
        ("*.tiff", "below/a.tiff", False),
        ("**/*.tiff", "a.tiff", True),
        ("**/*.tiff", EPU, True),
        ("**/*_Fractions.tiff", EPU, True),
        ("Images-Disc*/GridSquare_*/Data/*_Fractions.tiff", EPU, True),
        ("GridSquare_*/Data/*_Fractions.tiff", EPU, False),
        ("**/Data/*.tiff", EPU, True),
        ("**/FoilHoles/*.tiff", EPU, False),
        ("movies/**", "movies/deep/down/a.mrc", True),
        ("movie_[0-9]?.mrc", "movie_12.mrc", True),
        ("movie_[0-9]?.mrc", "movie_x2.mrc", False),
        ("**/*.tiff", ".a.tiff.Xy12", False),
        ("**/*.tiff", ".trash/a.tiff", False),
        ("*", ".a.tiff", False),
        (".*.tiff", ".a.tiff", True),
    ],
)
def test_which_files_a_pattern_means(pattern: str, file: str, is_meant: bool) -> None:
    assert Patterns([pattern]).match(file) is is_meant


def test_an_exclamation_mark_leaves_files_out() -> None:
    patterns = Patterns(["**/*.tiff", "!**/*_gain.tiff", "!**/Rejected/**"])
    assert patterns.match("a/movie.tiff")
    assert not patterns.match("a/camera_gain.tiff")
    assert not patterns.match("a/Rejected/b/movie.tiff")


@pytest.mark.parametrize(
    ("pattern", "folder", "may_lie"),
    [
        ("*.tiff", "GridSquare_1", False),
        ("GridSquare_*/Data/*.tiff", "GridSquare_1", True),
        ("GridSquare_*/Data/*.tiff", "GridSquare_1/Data", True),
        ("GridSquare_*/Data/*.tiff", "GridSquare_1/FoilHoles", False),
        ("GridSquare_*/Data/*.tiff", "GridSquare_1/Data/deeper", False),
        ("**/*.tiff", "any/thing/at/all", True),
        ("**/*.tiff", "any/.hidden/at/all", False),
        ("**/Data/*.tiff", "GridSquare_1/FoilHoles", True),
    ],
)
def test_folders_that_cannot_hold_a_file_are_not_entered(pattern: str, folder: str, may_lie: bool) -> None:
    assert Patterns([pattern]).may_lie_in(folder) is may_lie


@pytest.mark.parametrize("patterns", [[], [""], ["/data/*.tiff"], ["../*.tiff"], ["!*.tiff"]])
def test_patterns_that_mean_nothing_in_the_folder_are_refused(patterns: list[str]) -> None:
    with pytest.raises(ParameterError, match=r"\*\.tiff"):
        Patterns(patterns)
