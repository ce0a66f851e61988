from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from emlab.engine.workbench import FolderWorkbench
from emlab.errors import DataError, ParameterError
from emlab.formats.image import read_image
from emlab.formats.star import read_star
from emlab.model import Micrograph, Movie, validated
from emlab.protocols.align_movie import AlignMovie, align_movie
from emlab.simulation import Conditions, SimulatedMovie, simulate_movie
from emlab.simulation.motion import Motion

Array = NDArray[Any]
CONDITIONS = Conditions(seed=5, size=(512, 640), frames=10, dose_per_frame=2.0, motion=Motion(local=2.0))


@pytest.fixture(scope="module")
def simulated() -> SimulatedMovie:
    return simulate_movie(CONDITIONS)


@pytest.fixture
def movie(simulated: SimulatedMovie, tmp_path: Path) -> Movie:
    """A movie of 1.5 Å per pixel with its gain, as import_movies describes it.

    Whoever reads these files as RELION does, the last row first, sees what the truth is about.
    """
    tifffile.imwrite(tmp_path / "movie.tiff", simulated.frames[:, ::-1], compression="lzw")
    tifffile.imwrite(tmp_path / "gain.tiff", simulated.gain_reference[::-1])
    frames, height, width = simulated.frames.shape
    return Movie(
        key="item",
        acquired_at=7.0,
        path=str(tmp_path / "movie.tiff"),
        frames=frames,
        height=height,
        width=width,
        pixel_size=1.5,
        voltage=300.0,
        spherical_aberration=2.7,
        amplitude_contrast=0.07,
        dose_per_frame=2.0,
        pre_exposure=1.0,
        gain_reference=str(tmp_path / "gain.tiff"),
        grid_square="42",
        stage_x=1e4,
    )


def aligned(movie: Movie, root: Path, **given: Any) -> Micrograph:
    parameters = validated(AlignMovie, given, "align")
    micrograph = align_movie.function(movie, parameters, FolderWorkbench(root, "align", movie.key))
    assert isinstance(micrograph, Micrograph)
    return micrograph


def errors(micrograph: Micrograph, truth: Array) -> Array:
    """RMS per axis, px, of the shifts when a constant does not matter."""
    difference = np.stack([micrograph.shift_y, micrograph.shift_x], axis=1) - truth
    return np.sqrt(((difference - difference.mean(axis=0)) ** 2).mean(axis=0))  # type: ignore[no-any-return]


def test_a_simulated_movie(simulated: SimulatedMovie, movie: Movie, tmp_path: Path) -> None:
    found = aligned(movie, tmp_path)
    truth = np.stack([simulated.truth.shift_y, simulated.truth.shift_x], axis=1)
    assert (errors(found, truth) < 0.15).all()
    assert (found.shift_y[0], found.shift_x[0]) == (0.0, 0.0)
    steps = np.hypot(*np.diff(truth, axis=0).T) * 1.5
    assert found.total_motion == pytest.approx(steps.sum(), rel=0.2)
    assert found.early_motion is not None
    assert found.late_motion is not None
    assert found.early_motion + found.late_motion == pytest.approx(found.total_motion)
    assert found.residual_motion is not None
    assert found.residual_motion < 0.5
    assert found.warning is None
    assert found.total_dose == 1.0 + 10 * 2.0
    assert found.mean_counts == pytest.approx(simulated.truth.mean_electrons, rel=0.05)
    assert found.hot_pixels == pytest.approx(len(simulated.truth.hot_pixels), abs=10)
    assert (found.key, found.acquired_at, found.grid_square, found.stage_x) == ("item", 7.0, "42", 1e4)


def test_its_outputs(movie: Movie, tmp_path: Path) -> None:
    found = aligned(movie, tmp_path)
    image, pixel_size = read_image(tmp_path / found.path)
    assert image.shape == (found.height, found.width) == (512, 640)
    assert pixel_size == pytest.approx(1.5)
    assert found.unweighted is None
    assert found.power_spectrum is not None
    assert found.thumbnail is not None
    spectrum, spacing = read_image(tmp_path / found.power_spectrum)
    assert spectrum.shape == (256, 256)
    assert spacing == found.spectrum_pixel_size == pytest.approx(1.5)
    assert (spectrum > 0).all()
    picture = imagecodecs.jpeg8_decode((tmp_path / found.thumbnail).read_bytes())
    assert max(picture.shape) <= 512
    assert picture.std() > 20


def test_relion_reads_the_shifts_that_align(movie: Movie, tmp_path: Path) -> None:
    found = aligned(movie, tmp_path, binning=2, first_frame=3)
    assert found.metadata is not None
    tables = read_star(tmp_path / found.metadata)
    assert list(tables)[:3] == ["general", "global_shift", "local_motion_model"]
    general, shifts = tables["general"], tables["global_shift"]
    assert general["rlnImageSizeX"] == 640
    assert general["rlnImageSizeZ"] == 10
    assert general["rlnMicrographBinning"] == 2
    assert general["rlnMicrographOriginalPixelSize"] == 1.5
    assert general["rlnMicrographDoseRate"] == 2
    assert general["rlnMicrographStartFrame"] == 3
    assert general["rlnMicrographMovieName"] == movie.path
    assert list(map(int, shifts["rlnMicrographFrameNumber"])) == list(range(3, 11))
    # Unbinned pixels, and minus the displacement of the specimen.
    np.testing.assert_allclose(
        np.asarray(shifts["rlnMicrographShiftX"], float), -2 * np.array(found.shift_x), atol=1e-3
    )
    np.testing.assert_allclose(
        np.asarray(shifts["rlnMicrographShiftY"], float), -2 * np.array(found.shift_y), atol=1e-3
    )


def test_relion_finds_hot_pixels_and_specimen_where_it_reads_them(
    simulated: SimulatedMovie, movie: Movie, tmp_path: Path
) -> None:
    """RELION reads the rows of a TIFF from the last to the first (``rwTIFF.h``), and so must who tells it places."""
    found = aligned(movie, tmp_path, local_motion=False)
    assert found.metadata is not None
    tables = read_star(tmp_path / found.metadata)
    hot, shifts = tables["hot_pixels"], tables["global_shift"]
    y, x = (np.asarray(hot[name], float).astype(int) for name in ("rlnCoordinateY", "rlnCoordinateX"))
    frames = tifffile.imread(movie.path)[:, ::-1] * tifffile.imread(tmp_path / "gain.tiff")[::-1]
    frames[:, y, x] = frames.mean()
    moves = zip(shifts["rlnMicrographShiftY"], shifts["rlnMicrographShiftX"], strict=True)
    total = sum(np.roll(frame, (round(v), round(u)), (0, 1)) for frame, (v, u) in zip(frames, moves, strict=True))
    pair = [
        gaussian_filter(image, 3)[20:-20, 20:-20].ravel() for image in (total, read_image(tmp_path / found.path)[0])
    ]
    assert np.corrcoef(*pair)[0, 1] > 0.95
    as_relion = tifffile.imread(movie.path)[:, ::-1].mean(axis=0)
    beside = np.median([np.roll(as_relion, step, axis=1) for step in (-2, -1, 1, 2)], axis=0)
    # What is replaced is hot or dead.
    ratio = as_relion[y, x] / beside[y, x]
    assert np.mean((ratio > 1.8) | (ratio < 0.1)) > 0.95
    known = {tuple(place) for place in simulated.truth.hot_pixels.tolist()}
    assert len(known & set(zip(y.tolist(), x.tolist(), strict=True))) > 0.9 * len(known)


def test_a_part_of_the_frames(simulated: SimulatedMovie, movie: Movie, tmp_path: Path) -> None:
    found = aligned(movie, tmp_path, first_frame=2, last_frame=6)
    truth = np.stack([simulated.truth.shift_y, simulated.truth.shift_x], axis=1)
    assert (errors(found, truth[1:6]) < 0.2).all()
    assert found.total_dose == 1.0 + 6 * 2.0


@pytest.mark.parametrize("given", [{"first_frame": 11}, {"last_frame": 11}, {"first_frame": 5, "last_frame": 4}])
def test_frames_that_are_not_there_are_refused(movie: Movie, tmp_path: Path, given: dict[str, int]) -> None:
    with pytest.raises(ParameterError, match="has 10 frames"):
        aligned(movie, tmp_path, **given)


def test_binning_and_the_unweighted_sum(movie: Movie, tmp_path: Path) -> None:
    found = aligned(movie, tmp_path, binning=2, save_unweighted=True)
    full = aligned(replace(movie, key="full"), tmp_path)
    assert (found.height, found.width, found.pixel_size) == (256, 320, 3.0)
    np.testing.assert_allclose(2 * np.array(found.shift_y), full.shift_y)
    assert found.unweighted is not None
    weighted, unweighted = (read_image(tmp_path / path)[0] for path in (found.path, found.unweighted))
    assert unweighted.shape == weighted.shape
    assert unweighted.mean() == pytest.approx(np.sqrt(10) * weighted.mean(), rel=0.01)
    assert found.spectrum_pixel_size == 3.0


def test_without_a_dose_nothing_is_weighted(movie: Movie, tmp_path: Path) -> None:
    found = aligned(replace(movie, dose_per_frame=None), tmp_path, save_unweighted=True)
    assert (found.total_dose, found.early_motion, found.late_motion, found.unweighted) == (None, None, None, None)
    image, _ = read_image(tmp_path / found.path)
    assert found.mean_counts is not None
    assert image.mean() == pytest.approx(10 * found.mean_counts, rel=0.01)
    plain = aligned(replace(movie, key="plain"), tmp_path, dose_weighting=False)
    np.testing.assert_allclose(read_image(tmp_path / plain.path)[0], image, rtol=1e-3)


def test_the_sums_of_odd_and_even_frames(movie: Movie, tmp_path: Path) -> None:
    found = aligned(movie, tmp_path, save_halves=True, binning=1.25, local_motion=False)
    assert found.pixel_size == 1.5 * 1.25
    assert (found.odd_sum, found.even_sum) == ("align/item_ODD.mrc", "align/item_EVN.mrc")
    image, odd, even = (read_image(tmp_path / path)[0] for path in (found.path, found.odd_sum, found.even_sum))
    assert image.shape == (found.height, found.width) == (410, 512)
    np.testing.assert_allclose(odd + even, image, atol=1e-2)
    assert np.corrcoef(odd.ravel(), even.ravel())[0, 1] < 0.5


def test_defects_are_replaced(simulated: SimulatedMovie, movie: Movie, tmp_path: Path) -> None:
    spoilt = simulated.frames.copy()
    spoilt[:, 100:104, 200:204] = 0
    tifffile.imwrite(tmp_path / "movie.tiff", spoilt[:, ::-1], compression="lzw")
    (tmp_path / "defects.txt").write_text("200 100 4 4\n")
    found = aligned(replace(movie, defects=str(tmp_path / "defects.txt")), tmp_path, local_motion=False)
    image, _ = read_image(tmp_path / found.path)
    region = image[95:109, 195:209]
    assert region.min() > image.mean() - 6 * image.std()


def test_frames_that_say_nothing_are_summed_as_they_are(movie: Movie, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).poisson(1.0, (10, 512, 640)).astype(np.uint8)
    tifffile.imwrite(tmp_path / "movie.tiff", noise, compression="lzw")
    found = aligned(replace(movie, gain_reference=None), tmp_path)
    assert set(found.shift_y + found.shift_x) == {0.0}
    assert found.residual_motion is None
    assert found.warning is not None
    assert "too little in common" in found.warning


def test_a_gain_that_lies_otherwise_is_said(movie: Movie, tmp_path: Path) -> None:
    assert aligned(movie, tmp_path).warning is None
    found = aligned(replace(movie, gain_flip=2), tmp_path)
    assert found.warning is not None
    assert "do not show the pattern that the gain reference corrects" in found.warning


def test_a_blank_movie_fails(movie: Movie, tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "movie.tiff", np.zeros((10, 512, 640), np.uint8), compression="lzw")
    with pytest.raises(DataError, match="blank"):
        aligned(movie, tmp_path)


@pytest.mark.data
@pytest.mark.parametrize("number", range(4))
def test_the_reference_movies(reference_data: Path, reference_defects: Path, tmp_path: Path, number: int) -> None:
    folder = reference_data / "movies"
    path = sorted((folder / "session_1k").rglob("*.tiff"))[number]
    truth = json.loads((folder / "session_1k_truth" / f"{path.name}.json").read_text())
    movie = Movie(
        key="item",
        path=str(path),
        frames=24,
        height=1024,
        width=1024,
        pixel_size=1.5,
        voltage=300.0,
        spherical_aberration=2.7,
        amplitude_contrast=0.07,
        dose_per_frame=2.0,
        gain_reference=str(folder / "session_1k" / "gain.tif"),
        defects=str(reference_defects),
    )
    # The truth counts y from the first row of the file.
    shifts = np.array(truth["shift_mean_px"])[:, ::-1] * (-1, 1)
    assert (errors(aligned(movie, tmp_path), shifts) < 0.13).all()


@pytest.mark.data
def test_the_reference_eer(reference_data: Path, tmp_path: Path) -> None:
    folder = reference_data / "movies"
    truth = json.loads((folder / "movie_eer_1k_truth" / "movie_eer_1k.eer.json").read_text())
    movie = Movie(
        key="item",
        path=str(folder / "movie_eer_1k" / "movie_eer_1k.eer"),
        frames=8,
        height=1024,
        width=1024,
        eer_grouping=6,
        pixel_size=1.8,
        voltage=300.0,
        spherical_aberration=2.7,
        amplitude_contrast=0.07,
        dose_per_frame=0.7,
        gain_reference=str(folder / "movie_eer_1k" / "20251003_100000_EER_GainReference.gain"),
    )
    # 8 fractions of 0.7 e/Å² tell single displacements to 0.2 px; a fraction's truth is that of its first raw frame.
    assert (errors(aligned(movie, tmp_path), np.array(truth["shift_mean_px"])[:, ::-1]) < 0.5).all()
