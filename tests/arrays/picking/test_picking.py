"""Where particles are, judged by the truth of simulated micrographs."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from emlab.arrays.picking import coarsened, find_particles
from emlab.arrays.picking.filter import noise_map, score_map
from emlab.errors import DataError
from emlab.simulation import Conditions, Optics, Specimen, Truth, simulate_micrograph

Array = NDArray[Any]

DIAMETER = 125.0
PIXEL = 1.5
ORDINARY = Conditions(
    seed=21,
    size=(1024, 1152),
    frames=40,
    dose_per_frame=1.0,
    pixel_size=PIXEL,
    optics=Optics(defocus_u=12_000.0, defocus_v=11_700.0, vibration=0.9),
)


@cache
def simulated(**specimen: Any) -> tuple[Array, Truth]:
    return simulate_micrograph(replace(ORDINARY, specimen=Specimen(**specimen)))


def centres(truth: Truth, margin: float) -> Array:
    """True x, y (px) of the particles that lie this far (Å) from the edge."""
    places = truth.particles[:, 1::-1]
    size = np.array(truth.conditions.size[::-1])
    inside = np.all((places * PIXEL > margin) & ((size - places) * PIXEL > margin), axis=1)
    return np.asarray(places[inside])


def pairs(found: Array, true: Array) -> tuple[Array, Array]:
    """Distance (Å) of each place found to the nearest true one, and of each true one to the nearest found."""
    return cKDTree(true).query(found[:, :2])[0] * PIXEL, cKDTree(found[:, :2]).query(true)[0] * PIXEL


@pytest.mark.parametrize("defocus", [6_000.0, 12_000.0, 25_000.0])
def test_every_particle_of_an_ordinary_micrograph_is_found_and_nothing_else(defocus: float) -> None:
    optics = replace(ORDINARY.optics, defocus_u=defocus + 150.0, defocus_v=defocus - 150.0)
    image, truth = simulate_micrograph(replace(ORDINARY, optics=optics))
    found = find_particles(image, PIXEL, DIAMETER, threshold=3.5)
    to_true, to_found = pairs(found.places, centres(truth, 0.52 * DIAMETER))
    assert len(to_found) > 30
    assert np.mean(to_found < 0.1 * DIAMETER) == 1.0
    to_any, _ = pairs(found.places, centres(truth, 0.0))
    assert np.mean(to_any < 0.1 * DIAMETER) > 0.97
    assert found.excluded == 0.0
    near = to_true[to_true < 0.1 * DIAMETER]
    assert np.sqrt(np.mean(near**2)) < 2.0


@pytest.mark.parametrize("diameter", [95.0, 165.0])
def test_a_wrong_diameter_costs_few_particles(diameter: float) -> None:
    image, truth = simulated()
    found = find_particles(image, PIXEL, diameter, threshold=3.5)
    _, to_found = pairs(found.places, centres(truth, 0.52 * max(diameter, DIAMETER)))
    assert np.mean(to_found < 0.1 * DIAMETER) > 0.97
    assert found.ball == pytest.approx(DIAMETER, rel=0.03)


def test_x_is_the_column_and_y_the_row_from_the_centre_of_the_first_pixel() -> None:
    rng = np.random.default_rng(4)
    y, x = np.mgrid[:700, :900].astype(np.float32)
    image = rng.normal(0.0, 0.5, y.shape).astype(np.float32)
    true = np.array([[612.4, 151.7], [203.0, 488.5], [333.3, 333.3]])
    for column, row in true:
        image -= 1.0 / (1.0 + np.exp((np.hypot(y - row, x - column) - 40.0) / 2.0))
    found = find_particles(image, 1.5, 120.0, threshold=6.0)
    _, to_found = pairs(found.places, true)
    assert len(found.places) == 3
    # A fiftieth of a pixel of the coarse image would be 0.1 px; half a pixel of it, the usual error, 3 px.
    assert to_found.max() / PIXEL < 0.6
    assert found.places.dtype == np.float32
    assert np.all(np.diff(found.places[:, 2]) <= 0)


def test_an_empty_micrograph_gives_next_to_nothing() -> None:
    image, _ = simulated(particle_density=0.0)
    assert len(find_particles(image, PIXEL, DIAMETER, threshold=3.5).places) <= 2


def test_scores_of_noise_have_the_stated_unit_whatever_the_scale_of_the_image() -> None:
    noise = np.random.default_rng(1).normal(5.0, 3.0, (2048, 1800)).astype(np.float32)
    coarse = coarsened(noise, 1.0, 100.0)
    scores = score_map(coarse, 100.0, noise_map(coarse, 100.0))
    assert scores.std() == pytest.approx(1.0, abs=0.05)
    assert scores.mean() == pytest.approx(0.0, abs=0.05)


def test_scores_do_not_sink_where_particles_are_many() -> None:
    few, many = (
        find_particles(simulated(particle_density=density)[0], PIXEL, DIAMETER, threshold=3.5).places[:, 2]
        for density in (400.0, 5000.0)
    )
    assert len(many) > 5 * len(few) > 0
    assert np.median(many) > 0.6 * np.median(few)


def test_contamination_is_kept_off() -> None:
    image, truth = simulated(lumps=5)
    found = find_particles(image, PIXEL, DIAMETER, threshold=3.5)
    to_true, _ = pairs(found.places, centres(truth, 0.0))
    assert np.mean(to_true < 0.2 * DIAMETER) >= 0.95
    assert 0.03 < found.excluded < 0.5
    careless = find_particles(image, PIXEL, DIAMETER, threshold=3.5, avoid=False)
    false = pairs(careless.places, centres(truth, 0.0))[0] > 0.2 * DIAMETER
    assert np.count_nonzero(false) >= 3
    assert careless.excluded == 0.0


@pytest.mark.parametrize("seed", [31, 32])
def test_a_film_that_covers_part_of_the_field_is_kept_off(seed: int) -> None:
    specimen = Specimen(carbon=0.4)
    image, _ = simulate_micrograph(replace(ORDINARY, seed=seed, specimen=specimen))
    found = find_particles(image, PIXEL, DIAMETER, threshold=3.5)
    assert 0.25 < found.excluded < 0.6
    # The film takes electrons: where it is can be told from a blur.
    from scipy.ndimage import gaussian_filter

    blurred = gaussian_filter(image, 60.0)
    film = blurred < (np.quantile(blurred, 0.05) + np.quantile(blurred, 0.95)) / 2
    x, y = found.places[:, :2].astype(int).T
    assert len(x) > 10
    assert film.mean() > 0.25
    assert film[y, x].mean() < 0.05


def test_a_film_all_over_is_no_obstacle() -> None:
    image, truth = simulated(carbon=1.0)
    found = find_particles(image, PIXEL, DIAMETER, threshold=3.5)
    assert found.excluded < 0.05
    _, to_found = pairs(found.places, centres(truth, 0.52 * DIAMETER))
    assert np.mean(to_found < 0.2 * DIAMETER) > 0.9


def test_uneven_ice_is_no_film() -> None:
    image, _ = simulated()
    slope = np.linspace(0.8, 1.2, image.shape[1], dtype=np.float32)
    assert find_particles(image * slope, PIXEL, DIAMETER, threshold=3.5).excluded < 0.02


def test_bright_particles_are_the_same_ones_in_an_inverted_image() -> None:
    image, _ = simulated()
    dark = find_particles(image, PIXEL, DIAMETER, threshold=3.5).places
    bright = find_particles(100.0 - image, PIXEL, DIAMETER, threshold=3.5, bright=True).places
    np.testing.assert_allclose(bright, dark, atol=0.02)


def test_neighbours_are_as_far_apart_as_is_asked_for() -> None:
    image, _ = simulated(particle_density=5000.0)
    places = find_particles(image, PIXEL, DIAMETER, threshold=2.0, apart=200.0).places
    assert cKDTree(places[:, :2]).query(places[:, :2], 2)[0][:, 1].min() * PIXEL > 195.0


def test_the_image_is_not_changed() -> None:
    image, _ = simulated()
    before = image.copy()
    find_particles(image, PIXEL, DIAMETER, threshold=3.5, bright=True)
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize("diameter", [8.0, 900.0])
def test_a_diameter_that_does_not_go_with_the_image_is_refused(diameter: float) -> None:
    with pytest.raises(DataError, match=r"Particles of .* between 9 and 768 Å\. Check the diameter"):
        find_particles(simulated()[0], PIXEL, diameter, threshold=3.5)
