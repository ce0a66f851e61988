"""RELION finds in an export what it would find in a project of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mrcfile
import numpy as np
import pytest
import starfile

from emlab.errors import ParameterError, SessionError
from emlab.formats.array import write_array
from emlab.formats.gain import read_gain
from emlab.formats.mrc import write_mrc
from emlab.formats.star import read_star, write_star
from emlab.formats.tiff import write_tiff_movie
from emlab.model import Classes
from emlab.sets import Batch


@pytest.fixture
def filled(invented: Any) -> Any:
    """Ten items with their files, of which numbers 4 and 9 are rejected; one more whose CTF is not there yet."""
    invented.add(range(10), pictures=True)
    invented.add(range(10, 11), until="align")
    for number in range(11):
        write_mrc(invented.path / f"item_{number}.mrc", np.full((8, 8), number, np.float32), 0.8)
    return invented


@pytest.mark.data
@pytest.mark.parametrize(
    "name", ["MotionCorr/job002/corrected_micrographs.star", "CtfFind/job005/micrographs_ctf.star"]
)
def test_the_tables_are_those_of_a_real_project(reference_data: Path, aligned: Any, name: str) -> None:
    aligned.open().export()
    theirs = starfile.read(reference_data / "relion" / name)
    ours = starfile.read(aligned.path / "relion" / Path(name).name)
    assert list(ours) == list(theirs) == ["optics", "micrographs"]
    assert list(ours["micrographs"].columns) == list(theirs["micrographs"].columns)
    # emlab does not know the detector's MTF.
    assert list(ours["optics"].columns) == [label for label in theirs["optics"].columns if label != "rlnMtfFileName"]
    for block, column in (("optics", "rlnVoltage"), ("micrographs", "rlnOpticsGroup")):
        assert ours[block][column].dtype.kind == theirs[block][column].dtype.kind


@pytest.fixture
def aligned(filled: Any) -> Any:
    """The same with everything that aligning a movie and estimating its CTF leave."""
    for number in range(10):
        write_star(filled.path / f"item_{number}.star", {"general": {"rlnImageSizeX": 64}})
        write_mrc(filled.path / f"item_{number}_PS.mrc", np.full((16, 16), 9.0, np.float32), 1.6)
    connection = filled.ledger._connection
    connection.execute("UPDATE micrograph SET metadata = key || '.star', power_spectrum = key || '_PS.mrc'")
    connection.execute("UPDATE ctf SET ice_density = 1.25")
    return filled


def test_accepted_micrographs_are_exported_with_what_is_known_of_them(aligned: Any) -> None:
    done = aligned.open().export()
    assert [file.name for file in done.files] == ["corrected_micrographs.star", "micrographs_ctf.star"]
    assert done.micrographs == 8
    tables = starfile.read(done.files[1])
    micrographs = tables["micrographs"].set_index("rlnMicrographName")
    assert list(micrographs.index) == [f"Micrographs/000/item_{number}.mrc" for number in (0, 1, 2, 3, 5, 6, 7, 8)]
    third = micrographs.loc["Micrographs/000/item_3.mrc"]
    assert (third["rlnDefocusU"], third["rlnDefocusV"], third["rlnCtfAstigmatism"]) == (10_300, 10_200, 100)
    assert (third["rlnDefocusAngle"], third["rlnCtfFigureOfMerit"], third["rlnCtfMaxResolution"]) == (12.5, 0.3, 3.3)
    optics = tables["optics"]
    assert optics["rlnOpticsGroup"].tolist() == [1]
    assert optics["rlnMicrographPixelSize"].tolist() == [0.8]
    motion = starfile.read(done.files[0])["micrographs"]
    assert motion["rlnAccumMotionTotal"].tolist()[:3] == [5.0, 6.0, 7.0]


@pytest.mark.parametrize(("rotation", "flip"), [(0, 0), (1, 2)])
@pytest.mark.parametrize("eer", [False, True])
def test_polishing_finds_the_gain_as_it_was_applied(
    aligned: Any, tmp_path: Path, rotation: int, flip: int, eer: bool
) -> None:
    """RELION reads the file that the metadata name and uses it as it is; of an EER it takes the reciprocal."""
    gain = np.random.default_rng(0).uniform(0.5, 2.0, (64, 64)).astype(np.float32)
    gain[3, 5] = 0
    file = tmp_path / ("camera.gain" if eer else "gain.tif")
    write_tiff_movie(file, [gain], None)
    connection = aligned.ledger._connection
    given = (str(file), rotation, flip, 6 if eer else None)
    connection.execute("UPDATE movie SET gain_reference = ?, gain_rotation = ?, gain_flip = ?, eer_grouping = ?", given)
    for number in range(10):
        tables = {
            "general": {"rlnImageSizeX": 64, "rlnMicrographGainName": str(file)},
            "hot_pixels": {"rlnCoordinateX": [7]},
        }
        write_star(aligned.path / f"item_{number}.star", tables)
    project = tmp_path / "project"
    done = aligned.open().export(project / "emlab", project=project)
    assert "Do not polish" not in done.advice
    table = starfile.read(done.files[0])["micrographs"]
    metadata = [starfile.read(project / name) for name in table["rlnMicrographMetadata"]]
    (name,) = {tables["general"]["rlnMicrographGainName"] for tables in metadata}
    assert metadata[0]["hot_pixels"]["rlnCoordinateX"].tolist() == [7]
    if eer and not rotation:
        assert name == str(file)
        return
    assert name.startswith("emlab/Gains/")
    applied = read_gain(file, (64, 64), rotation=rotation, flip=flip, eer=eer)
    found = mrcfile.read(project / name)
    assert found.dtype == np.float32
    good = applied > 0
    assert (found[~good] == 0).all()
    np.testing.assert_allclose(1 / found[good] if eer else found[good], applied[good], rtol=1e-6)
    before = {path: path.stat().st_mtime_ns for path in (done.folder / "Micrographs/000").glob("*.star")}
    aligned.open().export(project / "emlab", project=project)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert read_star(aligned.path / "item_0.star")["general"]["rlnMicrographGainName"] == str(file)


def test_a_gain_that_cannot_be_read_is_told_and_made_up_for(aligned: Any, tmp_path: Path) -> None:
    file = tmp_path / "gain.mrc"
    aligned.ledger._connection.execute("UPDATE movie SET gain_reference = ?, gain_rotation = 2", (str(file),))
    done = aligned.open().export()
    assert "Do not polish particles yet: " in done.advice
    assert str(file) in done.advice
    write_mrc(file, np.ones((64, 64), np.float32), None)
    done = aligned.open().export()
    assert "Do not polish" not in done.advice
    written = read_star(done.folder / "Micrographs/000/item_0.star")["general"]
    assert (done.folder / written["rlnMicrographGainName"]).is_file()
    file.unlink()
    assert "Do not polish" not in aligned.open().export().advice


def test_every_name_leads_to_its_file(aligned: Any) -> None:
    folder = aligned.open().export().folder
    for file in ("corrected_micrographs.star", "micrographs_ctf.star"):
        table = starfile.read(folder / file)["micrographs"]
        for label in set(table) & {"rlnMicrographName", "rlnMicrographMetadata", "rlnCtfPowerSpectrum", "rlnCtfImage"}:
            assert all((folder / name.removesuffix(":mrc")).is_file() for name in table[label])
    assert mrcfile.read(folder / "Micrographs/000/item_3.mrc").max() == 3
    with mrcfile.open(folder / "Micrographs/000/item_3_PS.mrc") as spectrum:
        assert spectrum.data.max() == 3.0
        assert spectrum.voxel_size.x == pytest.approx(1.6)
    assert mrcfile.read(folder / "Micrographs/000/item_3.ctf").dtype == np.int8


def test_links_follow_the_session_when_it_moves(aligned: Any, tmp_path: Path) -> None:
    aligned.open().export()
    moved = aligned.path.rename(tmp_path / "archive")
    assert mrcfile.read(moved / "relion/Micrographs/000/item_3.mrc").max() == 3


def test_an_export_elsewhere_is_named_from_the_project(aligned: Any, tmp_path: Path) -> None:
    project = tmp_path / "project"
    done = aligned.open().export(project / "emlab", project=project)
    table = starfile.read(done.files[1])["micrographs"]
    assert (project / table["rlnMicrographName"][0]).is_file()
    assert table["rlnMicrographName"][0] == "emlab/Micrographs/000/item_0.mrc"
    with pytest.raises(SessionError, match="is not inside it"):
        aligned.open().export(tmp_path / "elsewhere", project=project)


def test_a_second_export_adds_what_came_and_leaves_the_rest(aligned: Any) -> None:
    folder = aligned.open().export().folder
    before = {path: path.lstat().st_mtime_ns for path in (folder / "Micrographs/000").iterdir()}
    with aligned.ledger.transaction():
        for run in ("ctf", "select"):
            aligned.record(run, 10)
    assert aligned.open().export().micrographs == 9
    after = {path: path.lstat().st_mtime_ns for path in (folder / "Micrographs/000").iterdir()}
    assert {path: after[path] for path in before} == before
    assert {path.name for path in after.keys() - before.keys()} == {"item_10.mrc"}
    assert not list(folder.rglob(".*"))


def test_all_micrographs_can_be_exported_and_copied(filled: Any) -> None:
    done = filled.open().export(every=True, copy=True)
    assert not any(path.is_symlink() for path in done.folder.rglob("*"))
    assert len(starfile.read(done.files[0])["micrographs"]) == 11
    assert len(starfile.read(done.files[1])["micrographs"]) == 10
    assert list(starfile.read(done.files[0])["micrographs"]) == [
        "rlnMicrographName",
        "rlnOpticsGroup",
        "rlnAccumMotionTotal",
        "rlnAccumMotionEarly",
        "rlnAccumMotionLate",
    ]


def test_a_tiff_is_called_one(filled: Any) -> None:
    """RELION would read an MRC from a file of this ending, and does not know one in capitals."""
    write_tiff_movie(filled.path / "item_2.TIFF", np.ones((1, 8, 8), np.float32), 0.8)
    filled.ledger._connection.execute("UPDATE micrograph SET path = 'item_2.TIFF' WHERE key = 'item_2'")
    done = filled.open().export()
    names = starfile.read(done.files[0])["micrographs"]["rlnMicrographName"]
    assert names[2] == "Micrographs/000/item_2.tif"
    assert (done.folder / names[2]).read_bytes()[:2] == b"II"


def test_a_micrograph_that_is_gone_is_left_out_and_told(filled: Any) -> None:
    (filled.path / "item_5.mrc").unlink()
    done = filled.open().export()
    assert done.missing == ("item_5",)
    assert done.micrographs == 7


def test_another_selection_is_exported_by_its_name(filled: Any) -> None:
    filled.add_run("strict", "select_micrographs", ("micrographs", "ctfs"), {"strict": "accepted"})
    with filled.ledger.transaction():
        filled.record("select", 2, name="strict")
    session = filled.open()
    assert session.export().micrographs == 1
    assert session.export(selection="accepted").micrographs == 8
    with pytest.raises(SessionError, match="no set 'stricter'; it has: .*strict"):
        session.export(selection="stricter")


def test_what_people_decided_stands(filled: Any) -> None:
    with filled.ledger.transaction():
        filled.ledger.add_judgement("item_4", "restored", "", "Ada")
        filled.ledger.add_judgement("item_0", "rejected", "", "Ada")
        filled.ledger.add_judgement("item_1", "noted", "a crack", "Ada")
    names = starfile.read(filled.open().export().files[1])["micrographs"]["rlnMicrographName"]
    assert [int(name[-5]) for name in names] == [1, 2, 3, 4, 5, 6, 7, 8]


def test_what_cannot_be_exported_is_told(invented: Any) -> None:
    session = invented.open()
    with pytest.raises(SessionError, match="no micrograph to export yet"):
        session.export()
    with pytest.raises(ParameterError, match="cannot export to warp; it can export to: relion"):
        session.export(to="warp")


def test_beam_shifts_can_have_optics_groups_of_their_own(filled: Any) -> None:
    for kind in ("micrograph", "ctf", "accepted"):
        filled.ledger._connection.execute(
            f"UPDATE {kind} SET key = 'FoilHole_1_Data_' || (200 + number % 2) || '_3_' || number"
        )
    tables = starfile.read(filled.open().export(beam_shift=True).files[1])
    assert tables["optics"]["rlnOpticsGroupName"].tolist() == ["beamShift200", "beamShift201"]
    names = tables["micrographs"]["rlnMicrographName"].str.extract(r"Data_20(\d)")[0].astype(int)
    assert (tables["micrographs"]["rlnOpticsGroup"] == names + 1).all()


@pytest.fixture
def picked(filled: Any) -> Any:
    """The same with particles of the first ten."""
    filled.add_particles(range(10))
    return filled


def test_particles_are_exported_as_relion_names_them(picked: Any) -> None:
    done = picked.open().export()
    assert [file.name for file in done.files][-2:] == ["autopick.star", "particles.star"]
    assert (done.micrographs, done.particles) == (8, 16)
    assert "choose particles.star" in done.advice
    tables = starfile.read(done.files[-1])
    particles, optics = tables["particles"], tables["optics"]
    assert len(particles) == 16
    sixth = particles.iloc[6]
    assert sixth["rlnImageName"] == "000001@Particles/000/item_3.mrcs"
    assert sixth["rlnMicrographName"] == "Micrographs/000/item_3.mrc"
    # x is the column and y the row, as they are stored: nothing is flipped, and the first pixel is 0.
    assert (sixth["rlnCoordinateX"], sixth["rlnCoordinateY"], sixth["rlnAutopickFigureOfMerit"]) == (20, 30, 9)
    assert (sixth["rlnDefocusU"], sixth["rlnDefocusV"], sixth["rlnDefocusAngle"]) == (10_300, 10_200, 12.5)
    assert optics["rlnImagePixelSize"].tolist() == [1.6]
    assert optics["rlnMicrographOriginalPixelSize"].tolist() == [0.8]
    assert optics["rlnImageSize"].tolist() == [16]
    for name in particles["rlnImageName"]:
        number, _, stack = name.partition("@")
        assert mrcfile.read(done.folder / stack)[int(number) - 1].shape == (16, 16)


def test_flipped_phases_are_told(picked: Any) -> None:
    assert "ctf_phase_flipped" not in picked.open().export().advice
    picked.ledger._connection.execute("UPDATE particles SET phases_flipped = 1")
    assert "--ctf_phase_flipped" in picked.open().export().advice


def test_coordinates_lie_beside_the_micrographs(picked: Any) -> None:
    folder = picked.open().export().folder
    listed = starfile.read(folder / "autopick.star")
    assert listed["rlnMicrographName"][3] == "Micrographs/000/item_3.mrc"
    coordinates = starfile.read(folder / listed["rlnMicrographCoordinates"][3])
    assert coordinates["rlnCoordinateX"].tolist() == [20.0, 40.25, 5.0]
    assert coordinates["rlnCoordinateY"].tolist() == [30.0, 30.5, 60.0]
    assert coordinates["rlnAutopickFigureOfMerit"].tolist() == [9.0, 7.0, 5.0]


@pytest.mark.data
def test_the_tables_of_particles_are_those_of_a_real_project(reference_data: Path, picked: Any) -> None:
    theirs = starfile.read(reference_data / "relion/Extract/job009/particles.star")
    ours = starfile.read(picked.open().export().folder / "particles.star")
    assert list(ours["particles"].columns) == list(theirs["particles"].columns)
    assert list(ours["optics"].columns) == [label for label in theirs["optics"].columns if label != "rlnMtfFileName"]
    for column in ours["particles"]:
        if column not in {"rlnCoordinateX", "rlnCoordinateY", "rlnAutopickFigureOfMerit"}:
            assert ours["particles"][column].dtype.kind == theirs["particles"][column].dtype.kind, column


def test_particles_of_micrographs_that_a_person_rejected_stay_behind(picked: Any) -> None:
    with picked.ledger.transaction():
        picked.ledger.add_judgement("item_0", "rejected", "", "Ada")
    done = picked.open().export()
    assert done.particles == 14
    assert not any("item_0" in name for name in starfile.read(done.files[-1])["particles"]["rlnImageName"])


def test_stacks_that_are_gone_are_left_out_and_told(picked: Any) -> None:
    (picked.path / "item_5_particles.mrcs").unlink()
    done = picked.open().export(copy=True)
    assert (done.particles, done.missing) == (14, ("item_5",))
    assert not (done.folder / "Particles/000/item_3.mrcs").is_symlink()


def test_particles_follow_the_selection_that_is_named(picked: Any) -> None:
    picked.add_run("strict", "select_micrographs", ("micrographs", "ctfs"), {"strict": "accepted"})
    with picked.ledger.transaction():
        picked.record("select", 2, name="strict")
    session = picked.open()
    assert session.export(selection="accepted").particles == 16
    # Nothing was picked on what this selection took.
    assert session.export(selection="strict").particles == 0


def test_particles_have_the_classes_that_they_were_put_into(picked: Any) -> None:
    """Item 3 is the fourth particles' record, member 1 of the second batch; what no batch has is in class 0."""
    fields = ("member", "particle", "class_number", "angle", "shift_y", "shift_x", "certainty", "score")
    types = ["<u4", "<u4", "<u2", *["<f4"] * 5]
    with picked.ledger.transaction():
        picked.add_run("classify", "classify_particles", ("particles",), {"classes": "classes"})
        for number, first, members in ((1, 0, 2), (2, 2, 3)):
            rows = [(member, at, 10 * number + member, 30.0 + at, 1.5, -2.5, 0.9, 7.0)
                    for at in (1, 0) for member in range(members)]  # fmt: skip
            key = f"batch_{number:04d}"
            write_array(picked.path / f"{key}.npy", np.array(rows, list(zip(fields, types, strict=True))))
            picked.ledger.add_batch(Batch(run="classify", key=key, first=first, stop=first + members))
            picked.append(
                Classes(
                    key=key, acquired_at=0.0, averages="a.mrcs", picture="a.jpg", assignments=f"{key}.npy",
                    learned="l.npy", noise=(1.0,), batches=number, count=2 * members, total=4, box_size=16,
                    pixel_size=1.6, diameter=17.6, shares=(1.0,), sizes=(4.0,), resolutions=(9.0,),
                )
            )  # fmt: skip
    particles = starfile.read(picked.open().export().folder / "particles.star")["particles"]
    third = particles[particles["rlnMicrographName"] == "Micrographs/000/item_3.mrc"]
    assert third["rlnClassNumber"].tolist() == [21, 21]
    assert third["rlnAnglePsi"].tolist() == [30.0, 31.0]
    assert third["rlnOriginXAngst"].tolist() == [-2.5, -2.5]
    assert third["rlnOriginYAngst"].tolist() == [1.5, 1.5]
    assert particles["rlnClassNumber"].tolist() == [10, 10, 11, 11, 20, 20, 21, 21, 22, 22, *[0] * 6]
