"""Particles that a STAR file names are classified as those of a session are."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import starfile
from scipy.spatial.transform import Rotation

from emlab.engine.apply import applications
from emlab.engine.given_particles import read_particles
from emlab.engine.workbench import FolderWorkbench
from emlab.errors import DataError, FormatError
from emlab.formats.mrc import read_mrc, write_mrc
from emlab.formats.star import write_star
from emlab.simulation import Optics
from emlab.simulation.particles import simulate_particles
from emlab.simulation.protein import synthetic_protein

OPTICS = Optics(defocus_u=17_000, defocus_v=16_600, defocus_angle=30)
PIXEL_SIZE = 3.6


@pytest.fixture
def named(tmp_path: Path) -> Path:
    """A STAR file of two stacks of 12 particles in a project: of the first every other one, out of order."""
    rng = np.random.default_rng(2)
    for name in ("a", "b"):
        turns = Rotation.from_euler("z", rng.uniform(0, 360, (12, 1)), degrees=True)
        proteins = [synthetic_protein()] * 12
        stack, _ = simulate_particles(proteins, turns, OPTICS, box=40, pixel_size=PIXEL_SIZE, rng=rng, spread=1.0)
        (tmp_path / "project/Extract").mkdir(parents=True, exist_ok=True)
        write_mrc(tmp_path / f"project/Extract/{name}.mrcs", stack, PIXEL_SIZE)
    images = [(11 - 2 * number, "a") for number in range(6)] + [(number, "b") for number in range(1, 13)]
    write_star(tmp_path / "project/Extract/job1.star", tables(images))
    return tmp_path / "project/Extract/job1.star"


def tables(images: list[tuple[int, str]], **other: Any) -> dict[str, Any]:
    optics = {
        "rlnOpticsGroup": [1],
        "rlnVoltage": [OPTICS.voltage],
        "rlnSphericalAberration": [OPTICS.spherical_aberration],
        "rlnAmplitudeContrast": [OPTICS.amplitude_contrast],
        "rlnImagePixelSize": [PIXEL_SIZE],
    }
    particles = {
        "rlnImageName": [f"{number:06d}@Extract/{name}.mrcs" for number, name in images],
        "rlnOpticsGroup": [1] * len(images),
        "rlnDefocusU": [17_000.0] * len(images),
        "rlnDefocusV": [16_600.0] * len(images),
        "rlnDefocusAngle": [30.0] * len(images),
    }
    return {"optics": optics, "particles": {**particles, **other}}


def test_particles_of_a_stack_and_a_ctf_are_one_record(named: Path, tmp_path: Path) -> None:
    bench = partial(FolderWorkbench, tmp_path, "")
    given = read_particles(named, "job1", bench)
    part, whole = given.records
    assert (part.count, whole.count, whole.box_size, whole.pixel_size) == (6, 12, 40, PIXEL_SIZE)
    assert given.rows[0].tolist() == [5, 4, 3, 2, 1, 0]
    assert whole.stack == str(named.parent / "b.mrcs")
    np.testing.assert_array_equal(
        bench("").read_stack(str(part.stack)), read_mrc(named.parent / "a.mrcs")[0][[0, 2, 4, 6, 8, 10]]
    )
    assert (whole.defocus_u, whole.defocus_v, whole.defocus_angle, whole.voltage) == (17_000, 16_600, 30, 300)

    # As refined one by one: those that differ by much get a CTF of their own.
    refined = [17_000.0] * 5 + [17_010.0] + [19_000.0] * 6
    write_star(named, tables([(number, "b") for number in range(1, 13)], rlnDefocusU=refined))
    assert [(one.count, one.defocus_u) for one in read_particles(named, "job1", bench).records] == [
        (6, pytest.approx(17_001.7, abs=0.1)),
        (6, 19_000.0),
    ]


def test_each_row_gets_what_was_found_of_its_particle(named: Path, tmp_path: Path) -> None:
    application = applications()["classify_particles"]
    (named.parent / "job2").mkdir()
    other = named.rename(named.parent / "job2/particles.star")
    write_star(named.parent / "particles.star", tables([(1, "b")]))
    files = [named.parent / "particles.star", other]
    _, read, done = application.run(files, tmp_path / "out", {"classes": 1, "class_size": 40})
    assert (read["count"], read["stacks"], done["count"]) == (18, 2, 19), done
    first, written = done["stars"]
    assert len(starfile.read(first)["particles"]) == 1
    before, after = starfile.read(other), starfile.read(written)
    assert after["particles"]["rlnImageName"].tolist() == before["particles"]["rlnImageName"].tolist()
    assert set(after["particles"]["rlnClassNumber"]) == {1}
    found = np.load(done["assignments"])[1:]
    assert after["particles"]["rlnAnglePsi"].to_numpy() == pytest.approx(
        np.concatenate([found["angle"][5::-1], found["angle"][6:]]), abs=1e-3
    )


@pytest.mark.data
def test_a_real_project_is_found_from_its_star_file(reference_data: Path, tmp_path: Path) -> None:
    given = read_particles(
        reference_data / "relion/Extract/job009/particles.star", "job009", partial(FolderWorkbench, tmp_path, "")
    )
    assert [record.count for record in given.records] == [242, 229, 237, 247, 245]
    assert {(one.box_size, one.pixel_size, one.voltage, one.spherical_aberration) for one in given.records} == {
        (64, 3.54, 200.0, 1.4)
    }
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_classified_is_refused_with_what_it_takes(named: Path, tmp_path: Path) -> None:
    bench = partial(FolderWorkbench, tmp_path, "")
    (refused,) = applications()["classify_particles"].run([named.parent / "a.mrcs"], tmp_path / "out", {"diameter": 90})
    assert "give the STAR file that names it" in refused["message"]
    write_star(named, tables([(13, "b")]))
    with pytest.raises(DataError, match="has 12 images of 40×40 px, and the STAR file names number 13"):
        read_particles(named, "job1", bench)
    write_star(named, tables([(1, "gone")]))
    with pytest.raises(DataError, match=r"names the stack Extract/gone.mrcs"):
        read_particles(named, "job1", bench)
    write_star(named, {name: table for name, table in tables([(1, "a")]).items() if name == "particles"})
    with pytest.raises(FormatError, match="has the tables particles"):
        read_particles(named, "job1", bench)
