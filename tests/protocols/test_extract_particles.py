from __future__ import annotations

from pathlib import Path
from typing import Any

import mrcfile
import numpy as np
import pytest
from numpy.typing import NDArray

from emlab.engine.workbench import FolderWorkbench
from emlab.errors import ParameterError
from emlab.formats.array import write_array
from emlab.formats.mrc import write_mrc
from emlab.model import Particles, Picks, validated
from emlab.protocols.extract_particles import ExtractParticles, extract_particles

DIAMETER = 90.0
PLACES = np.array([[150.4, 80.6, 9.0], [60.0, 120.0, 8.0], [20.0, 30.0, 7.0], [230.2, 140.7, 6.0]], np.float32)
"""x, y and score; the third is so near the left edge that its box leaves the micrograph."""


def micrograph() -> NDArray[Any]:
    """Dark discs of 60 px on noise and a slope: 1.5 Å per pixel, 200 rows, 300 columns."""
    rng = np.random.default_rng(8)
    y, x = np.mgrid[:200, :300]
    image = rng.normal(100.0, 4.0, y.shape) + 0.2 * x - 0.1 * y
    for column, row, _ in PLACES:
        image -= 6.0 * (np.hypot(y - round(float(row)), x - round(float(column))) < 25)
    return image.astype(np.float32)


def extracted(root: Path, places: NDArray[Any] = PLACES, **given: Any) -> Particles:
    write_mrc(root / "item.mrc", micrograph(), 1.5)
    write_array(root / "item_picks.npy", places)
    picks = Picks(
        key="item",
        acquired_at=5.0,
        pixel_size=1.5,
        voltage=300.0,
        spherical_aberration=2.7,
        amplitude_contrast=0.07,
        hole="9",
        defocus_u=15_000.0,
        defocus_v=14_700.0,
        defocus_angle=30.0,
        phase_shift=0.0,
        micrograph="item.mrc",
        coordinates="item_picks.npy",
        count=len(places),
        diameter=DIAMETER,
    )
    parameters = validated(ExtractParticles, given, "extract")
    record = extract_particles.function(picks, parameters, FolderWorkbench(root, "extract", "item"))
    assert isinstance(record, Particles)
    return record


def stack_of(root: Path, particles: Particles) -> NDArray[Any]:
    assert particles.stack is not None
    with mrcfile.open(root / particles.stack) as file:
        return np.array(file.data)


def test_particles_are_white_in_the_middle_and_their_background_is_normal(tmp_path: Path) -> None:
    particles = extracted(tmp_path)
    assert (particles.key, particles.acquired_at, particles.micrograph, particles.hole) == (
        "item",
        5.0,
        "item.mrc",
        "9",
    )
    assert (particles.count, particles.left_out, particles.box_size, particles.pixel_size) == (3, 1, 90, 1.5)
    assert particles.diameter == pytest.approx(1.1 * DIAMETER)
    stack = stack_of(tmp_path, particles)
    assert stack.shape == (3, 90, 90)
    assert stack.dtype == np.float32
    y, x = np.mgrid[:90, :90] - 45
    inside, outside = np.hypot(y, x) < 22, np.hypot(y, x) > 34
    for image in stack:
        assert image[inside].mean() == pytest.approx(1.5, abs=0.15)
        assert image[outside].mean() == pytest.approx(0.0, abs=0.01)
        assert image[outside].std() == pytest.approx(1.0, abs=0.02)
        weight = np.where(np.hypot(y, x) < 34, np.maximum(image, 0), 0)
        assert abs((weight * x).sum() / weight.sum()) < 1.0
        assert abs((weight * y).sum() / weight.sum()) < 1.0


def test_coordinates_are_of_what_is_in_the_stack_in_its_order(tmp_path: Path) -> None:
    particles = extracted(tmp_path)
    kept = np.load(tmp_path / particles.coordinates)
    assert kept.dtype == np.float32
    np.testing.assert_array_equal(kept, [[150, 81, 9], [60, 120, 8], [230, 141, 6]])


def test_binning_crops_frequencies_and_keeps_the_field(tmp_path: Path) -> None:
    particles = extracted(tmp_path, particle_pixel_size=4.5)
    assert (particles.box_size, particles.pixel_size, particles.micrograph_pixel_size) == (30, 4.5, 1.5)
    stack = stack_of(tmp_path, particles)
    y, x = np.mgrid[:30, :30] - 15
    outside = np.hypot(y, x) > 99.0 / 2 / 4.5
    assert stack[:, outside].std(axis=1) == pytest.approx(np.ones(3), abs=0.02)
    assert (
        stack[:, np.hypot(y, x) < 7].mean() > 2.5 * 1.5
    )  # the noise of 3 × 3 px is averaged, and the disc's rim is blurred
    with mrcfile.open(tmp_path / str(particles.stack)) as file:
        assert file.voxel_size.x == pytest.approx(4.5)


def test_half_precision_is_mode_12_and_the_same_but_for_rounding(tmp_path: Path) -> None:
    whole = stack_of(tmp_path, extracted(tmp_path))
    half = stack_of(tmp_path, extracted(tmp_path, half_precision=True))
    assert half.dtype == np.float16
    np.testing.assert_allclose(half, whole, rtol=1e-3, atol=1e-3)


def test_contrast_stays_where_that_is_asked_for(tmp_path: Path) -> None:
    np.testing.assert_allclose(
        stack_of(tmp_path, extracted(tmp_path, invert_contrast=False, remove_dust=False)),
        -stack_of(tmp_path, extracted(tmp_path, remove_dust=False)),
        atol=1e-4,
    )


def test_flipped_phases_make_another_image_of_the_same_places(tmp_path: Path) -> None:
    plain = extracted(tmp_path)
    one = stack_of(tmp_path, plain)
    flipped = extracted(tmp_path, flip_phases=True)
    other = stack_of(tmp_path, flipped)
    assert (plain.phases_flipped, flipped.phases_flipped) == (False, True)
    assert 0.1 < np.corrcoef(one.ravel(), other.ravel())[0, 1] < 0.99


@pytest.mark.parametrize(("places", "warning"), [
    (PLACES[:0], None),
    (PLACES[2:3], "Every particle's box extends beyond the micrograph."),
])  # fmt: skip
def test_no_particles_have_a_record_and_no_stack(tmp_path: Path, places: NDArray[Any], warning: str | None) -> None:
    particles = extracted(tmp_path, places)
    assert (particles.count, particles.left_out, particles.stack) == (0, len(places), None)
    assert np.load(tmp_path / particles.coordinates).shape == (0, 3)
    assert particles.warning == warning
    assert not list(tmp_path.glob("extract/*.mrcs"))


def test_a_box_without_background_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ParameterError, match="A box of 90 Å leaves no background around a circle of 99 Å: make box_size"
    ):
        extracted(tmp_path, box_size=90.0)
