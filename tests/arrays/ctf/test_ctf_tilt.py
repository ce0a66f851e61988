from __future__ import annotations

import numpy as np
import pytest

from emlab.arrays.ctf import Defocus, Lens, Plane, fit_tilted, flatten, local_defocus, refine, rings_between, tiles_of
from emlab.arrays.ctf.levelled import levelled
from emlab.arrays.ctf.model import phase_delay
from emlab.arrays.ctf.tiles import Tiles
from emlab.arrays.ctf.tilt import fit_plane, search_plane
from emlab.errors import DataError
from emlab.simulation.optics import Optics, uneven_defocus

MIDDLE = Defocus.from_axes(16_300.0, 15_900.0, 30.0)
SIZE, PIXEL_SIZE, SIDE, PITCH = 384, 2.0, 7, 500.0


def tiles_at(offsets: np.ndarray, lens: Lens, seed: int = 0, height: float = 0.12) -> Tiles:
    """Seven by seven tiles 500 Å apart with rings at the middle's defocus and some more, in noise of one tile each."""
    rings = rings_between(SIZE, PIXEL_SIZE, 1 / 30, 1 / 4.3)
    rng = np.random.default_rng(seed)
    wave = 0.0 * rings.squares
    excess = np.empty((offsets.size, rings.index.size), np.float32)
    for one, offset in zip(excess, offsets.ravel(), strict=True):
        there = Defocus(MIDDLE.mean + offset, MIDDLE.straight, MIDDLE.diagonal)
        wave = -height * np.cos(2.0 * phase_delay(lens, rings.squares, rings.cosines, rings.sines, there))
        one[:] = (1.0 + wave) * rng.exponential(size=wave.size) - 1.0
    mean = np.ones((SIZE, SIZE), np.float32)
    mean.ravel()[rings.index] += excess.mean(axis=0)
    y, x = places()
    return Tiles(flatten(mean, rings), excess, y.ravel(), x.ravel(), (SIDE, SIDE))


def places() -> tuple[np.ndarray, np.ndarray]:
    y, x = np.meshgrid(*2 * [PITCH * (np.arange(SIDE) - SIDE // 2)], indexing="ij")
    return y, x


@pytest.mark.parametrize(("angle", "axis"), [(30.0, 0.0), (20.0, 90.0), (45.0, 180.0), (15.0, -60.0), (60.0, 130.0)])
def test_the_defocus_grows_a_quarter_turn_from_the_axis_towards_y(angle: float, axis: float, lens: Lens) -> None:
    """For an axis along x, at 0°, rows with higher numbers are farther from focus; at 90° columns with lower ones."""
    field = uneven_defocus(Optics(tilt_angle=angle, tilt_axis=axis), (2, 2), 2.0)
    slope_y, slope_x = (float(field[1, 0] - field[0, 0]) / 2.0, float(field[0, 1] - field[0, 0]) / 2.0)
    plane = Plane(0.0, slope_y, slope_x, np.eye(3))
    assert plane.angle == pytest.approx(angle, abs=0.01)
    assert (plane.axis - axis + 180.0) % 360.0 - 180.0 == pytest.approx(0.0, abs=0.01)
    assert -180.0 < plane.axis <= 180.0


@pytest.mark.parametrize(("slope_y", "slope_x"), [(0.3, -0.4), (-0.9, 0.2), (0.0, 0.18)])
def test_tilt_and_middle_are_found_within_their_errors(slope_y: float, slope_x: float, lens: Lens) -> None:
    y, x = places()
    tiles = tiles_at(slope_y * y + slope_x * x, lens)
    start = refine(tiles.whole, lens, Defocus(MIDDLE.mean - 150.0, MIDDLE.straight, MIDDLE.diagonal))
    fit, plane, _ = fit_tilted(tiles, lens, start)
    errors = np.sqrt(np.diag(plane.covariance))
    assert np.all(np.abs(np.array([plane.slope_y - slope_y, plane.slope_x - slope_x]) / errors[1:]) < 4.0)
    assert plane.errors[0] < 2.0
    assert plane.errors[1] < 8.0
    assert plane.is_significant
    assert fit.defocus.mean == pytest.approx(MIDDLE.mean, abs=4 * np.sqrt(fit.covariance[0, 0]))
    assert fit.defocus.mean == pytest.approx(MIDDLE.mean, abs=50.0)
    # Level, the rings reach as far as those of one tile; blurred they did not.
    assert fit.gain > 1.5 * start.gain


def test_a_level_specimen_has_no_tilt_that_is_worth_telling(lens: Lens) -> None:
    planes = []
    for seed in range(3):
        tiles = tiles_at(np.zeros((SIDE, SIDE)), lens, seed)
        planes.append(fit_tilted(tiles, lens, refine(tiles.whole, lens, MIDDLE))[1])
    assert not any(plane.is_significant for plane in planes)
    assert all(plane.angle < 4 * plane.errors[0] + 1.0 for plane in planes)
    assert all(plane.errors[1] > 10.0 for plane in planes)


def test_tiles_that_differ_by_themselves_make_its_errors_larger(lens: Lens) -> None:
    y, _ = places()
    height = 60.0 * np.random.default_rng(1).standard_normal(y.shape)
    even, uneven = (tiles_at(0.3 * y + more, lens, height=0.4) for more in (0.0, height))
    errors = [fit_plane(tiles, lens, MIDDLE, Plane(0.0, 0.3, 0.0, np.eye(3))).errors[0] for tiles in (even, uneven)]
    # 60 Å of one tile, of 49 of which every fourth is taken to be independent.
    expected = 60.0 / np.sqrt((y**2).sum()) / (1.0 + 0.3**2) * np.sqrt(2.0 * 49 / 37)
    assert np.sqrt(errors[1] ** 2 - errors[0] ** 2) == pytest.approx(np.degrees(expected), rel=0.4)


def test_the_search_finds_a_steep_plane_from_a_fit_that_is_off(lens: Lens) -> None:
    y, x = places()
    tiles = tiles_at(0.8 * y - 0.5 * x, lens, height=0.25)
    plane = search_plane(tiles, lens, Defocus(MIDDLE.mean + 300.0))
    assert (plane.slope_y, plane.slope_x) == pytest.approx((0.8, -0.5), abs=0.1)
    assert plane.offset == pytest.approx(-300.0, abs=150.0)


def test_tiles_are_moved_to_where_the_reference_has_its_rings(lens: Lens) -> None:
    offsets = 0.5 * places()[0]
    data = levelled(tiles_at(offsets, lens, height=0.3), lens, MIDDLE, offsets.ravel())
    found = refine(data, lens, MIDDLE)
    assert found.defocus.mean == pytest.approx(MIDDLE.mean, abs=4 * np.sqrt(found.covariance[0, 0]))
    assert found.defocus.astigmatism == pytest.approx(MIDDLE.astigmatism, abs=60.0)
    away = levelled(tiles_at(offsets, lens, height=0.3), lens, MIDDLE, -offsets.ravel())
    assert refine(away, lens, MIDDLE).gain < 0.5 * found.gain


def test_an_uneven_film_is_followed_and_a_level_one_left_level(lens: Lens) -> None:
    y, x = places()
    dome = -300.0 * (y**2 + x**2) / (y**2 + x**2).max()
    flat = Plane(0.0, 0.0, 0.0, np.eye(3))
    bent = local_defocus(tiles_at(dome, lens, height=0.25), lens, MIDDLE, flat)
    assert np.std(bent.offset - dome.ravel()) < 0.4 * np.std(dome)
    assert np.mean(((bent.offset - dome.ravel()) / bent.error) ** 2) < 4.0
    level = local_defocus(tiles_at(0.0 * dome, lens, height=0.25), lens, MIDDLE, flat)
    assert np.std(level.offset) < 15.0


def test_a_tile_is_where_its_pixels_are() -> None:
    image = np.random.default_rng(0).normal(size=(600, 800)).astype(np.float32)
    image[:256, :256] *= 3.0
    tiles = tiles_of(image, 1.5, 256, 1 / 30, 1 / 4)
    assert tiles.shape == (4, 6)
    assert (tiles.y[0], tiles.x[0]) == (-1.5 * 172, -1.5 * 272)
    assert (tiles.y[-1], tiles.x[-1]) == (1.5 * 172, 1.5 * 272)
    # Each is relative to its own background.
    assert np.abs(tiles.excess.mean(axis=1)).max() < 0.05


def test_an_image_of_few_tiles_is_refused() -> None:
    with pytest.raises(DataError, match="to show how the defocus varies, it needs at least 512 px in each direction"):
        tiles_of(np.ones((300, 800), np.float32), 1.5, 256, 1 / 30, 1 / 4)
