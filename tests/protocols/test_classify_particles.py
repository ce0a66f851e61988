"""Batches of particles become class averages, and each particle's class is written down."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import affine_transform, gaussian_filter
from scipy.spatial.transform import Rotation
from threadpoolctl import threadpool_limits

from emlab.engine.workbench import FolderWorkbench
from emlab.errors import DataError
from emlab.formats.array import read_array
from emlab.formats.jpeg import read_jpeg
from emlab.formats.mrc import read_mrc, write_mrc
from emlab.model import Classes, Particles
from emlab.protocols.classify_particles import ClassifyParticles, classify_particles
from emlab.simulation import Optics
from emlab.simulation.particles import simulate_particles
from emlab.simulation.protein import Protein, synthetic_protein

Array = NDArray[Any]

BOX, PIXEL_SIZE = 60, 3.6
OPTICS = Optics(defocus_u=17_000, defocus_v=16_600, defocus_angle=30)


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """As in a worker: for small matrices, threads only wait for each other."""
    with threadpool_limits(1, "blas"):
        yield


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Particles]]:
    """A folder with four stacks of 30 particles: two proteins, one of them half a shell, that lie as they like."""
    folder = tmp_path_factory.mktemp("classes")
    shell = synthetic_protein()
    half = shell.atoms[shell.atoms[:, 1] > 0.0]
    proteins = (shell, Protein(half - half.mean(axis=0), np.ones(len(half), np.float32)))
    rng = np.random.default_rng(8)
    records = []
    for number in range(4):
        turns = Rotation.from_euler("z", rng.uniform(0, 360, (30, 1)), degrees=True)
        which = [proteins[place // 15] for place in range(30)]
        stack, _ = simulate_particles(which, turns, OPTICS, box=BOX, pixel_size=PIXEL_SIZE, rng=rng, spread=1.0)
        write_mrc(folder / f"m{number}.mrcs", stack, PIXEL_SIZE)
        records.append(particles(f"m{number}", 30, stack=f"m{number}.mrcs"))
    return folder, records


def particles(key: str, count: int, **other: Any) -> Particles:
    values = {
        "micrograph": f"{key}.mrc",
        "stack": None,
        "coordinates": f"{key}.npy",
        "count": count,
        "left_out": 0,
        "box_size": BOX,
        "diameter": 150.0,
        "pixel_size": PIXEL_SIZE,
        "micrograph_pixel_size": PIXEL_SIZE,
        "voltage": OPTICS.voltage,
        "spherical_aberration": OPTICS.spherical_aberration,
        "amplitude_contrast": OPTICS.amplitude_contrast,
        "defocus_u": OPTICS.defocus_u,
        "defocus_v": OPTICS.defocus_v,
        "defocus_angle": OPTICS.defocus_angle,
        "phase_shift": 0.0,
    }
    return Particles(key=key, acquired_at=float(key[1:]), **values | other)


def classified(folder: Path, batch: list[Particles], before: Classes | None, key: str, **parameters: Any) -> Classes:
    workbench = FolderWorkbench(folder, "outputs", key)
    made: Classes = classify_particles.function(tuple(batch), before, ClassifyParticles(**parameters), workbench)
    return made


@pytest.fixture(scope="module")
def records(made: tuple[Path, list[Particles]]) -> tuple[Classes, Classes]:
    folder, stacks = made
    options = {"classes": 3, "class_size": 48}
    first = classified(folder, [stacks[0], particles("m9", 0), *stacks[1:3]], None, "batch_0001", **options)
    return first, classified(folder, stacks[3:], first, "batch_0002", **options)


def test_a_batch_goes_on_from_the_one_before(
    made: tuple[Path, list[Particles]], records: tuple[Classes, Classes]
) -> None:
    first, second = records
    assert (first.key, first.batches, first.count, first.total, first.acquired_at) == ("batch_0001", 1, 90, 90, 9.0)
    assert (second.key, second.batches, second.count, second.total) == ("batch_0002", 2, 30, 120)
    assert (second.box_size, second.pixel_size) == (48, pytest.approx(60 * 3.6 / 48))
    assert sum(first.sizes) == 90
    assert sum(second.sizes) == 120
    assert sum(second.shares) == pytest.approx(1.0)
    averages, pixel_size = read_mrc(made[0] / second.averages)
    assert averages.shape == (len(second.sizes), 48, 48)
    assert pixel_size == pytest.approx(4.5)
    assert read_jpeg(made[0] / second.picture).shape[:2] == (48, 48 * len(second.sizes))
    assert all(resolution < 40 for resolution in second.resolutions)
    assert first.warning is second.warning is None


def test_both_proteins_have_classes_of_their_own(
    made: tuple[Path, list[Particles]], records: tuple[Classes, Classes]
) -> None:
    for record in records:
        table = read_array(made[0] / record.assignments)
        kinds = table["particle"] // 15
        mixed = sum(min(np.bincount(kinds[table["class_number"] == number], minlength=2)) for number in (1, 2, 3))
        assert mixed <= 0.03 * len(table)


def test_assignments_bring_each_particle_to_its_class(
    made: tuple[Path, list[Particles]], records: tuple[Classes, Classes]
) -> None:
    """RELION's convention: move the image by the shift, then turn it by the angle from x towards y."""
    folder, stacks = made
    record = records[0]
    table = read_array(folder / record.assignments)
    batch = [stacks[0], None, *stacks[1:3]]
    assert sorted({int(member) for member in table["member"]}) == [0, 2, 3]
    averages = read_mrc(folder / record.averages)[0]
    for number in np.unique(table["class_number"]):
        rows = table[table["class_number"] == number]
        aligned, unturned = np.zeros((2, BOX, BOX))
        for row in rows:
            stack = batch[row["member"]]
            assert stack is not None
            image = read_mrc(folder / str(stack.stack))[0][row["particle"]]
            shift = np.array([row["shift_y"], row["shift_x"]]) / PIXEL_SIZE
            aligned += _moved_and_turned(image, shift, float(row["angle"]))
            unturned += _moved_and_turned(image, shift, -float(row["angle"]))
        average = np.kron(averages[number - 1], np.ones((5, 5)))[2::4, 2::4]  # 48 px to 60
        inside = np.hypot(*(np.indices((BOX, BOX)) - BOX // 2)) < 20
        assert _alike(aligned, average, inside) > 0.75
        if (rows["particle"] // 15).mean() > 0.5:  # a whole shell looks the same from everywhere
            assert _alike(aligned, average, inside) > _alike(unturned, average, inside) + 0.2


def _moved_and_turned(image: Array, shift: Array, angle: float) -> Array:
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    back = np.array([[c, -s], [s, c]])  # on (y, x): where a pixel of the result came from
    centre = np.full(2, BOX // 2)
    return affine_transform(image, back, centre - back @ centre - shift, order=1)  # type: ignore[no-any-return]


def _alike(one: Array, other: Array, inside: Array) -> float:
    """Correlation of what is neither noise nor the level of the whole, which the CTF leaves out."""
    bands = (gaussian_filter(image, 1) - gaussian_filter(image, 4) for image in (one, other))
    return float(np.corrcoef(*(band[inside] for band in bands))[0, 1])


def test_a_batch_without_particles_changes_nothing(
    made: tuple[Path, list[Particles]], records: tuple[Classes, Classes]
) -> None:
    same = classified(made[0], [particles("m5", 0)], records[0], "batch_0002", classes=3, class_size=48)
    assert (same.key, same.count, same.total, same.averages) == ("batch_0002", 0, 90, records[0].averages)
    assert len(read_array(made[0] / same.assignments)) == 0


def test_too_few_particles_say_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="There are only 3 particles; 2D classification needs at least 10"):
        classified(tmp_path, [particles("m1", 3), particles("m2", 0)], None, "batch_0001")


def test_particles_of_two_sizes_say_so(made: tuple[Path, list[Particles]]) -> None:
    odd = particles("m7", 30, stack="m0.mrcs", pixel_size=2.0)
    with pytest.raises(DataError, match=r"m7 have 60 px of 2 Å, and those of m0 60 px of 3.6 Å"):
        classified(made[0], [made[1][0], odd], None, "batch_0001")


def test_a_record_is_a_share_of_a_batch() -> None:
    share = classify_particles.share
    assert share is not None
    assert share(particles("m1", 250), ClassifyParticles(batch_size=500)) == 0.5
