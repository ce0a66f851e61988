"""A protocol used by itself, in a process whose environment says nothing of threads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mrcfile
import numpy as np
import pytest
import scipy.linalg  # noqa: F401 - brings its BLAS
from threadpoolctl import threadpool_info, threadpool_limits

from emlab.arrays.threads import threads
from emlab.engine.apply import Application, applications
from emlab.engine.given_files import without_byproducts
from emlab.engine.given_gain import with_upright_gain
from emlab.engine.workbench import FolderWorkbench
from emlab.errors import ParameterError
from emlab.formats.mrc import write_mrc
from emlab.formats.star import read_star
from emlab.formats.tiff import write_tiff_movie
from emlab.model import Movie, Protocol
from emlab.simulation import Conditions, simulate_micrograph, simulate_movie


def test_small_matrices_get_one_thread(tmp_path: Path, toys: dict[str, Protocol]) -> None:
    toy = toys["toy_import"]
    counts: list[int] = []

    def spying(*arguments: Any) -> Any:
        counts.extend(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas")
        return toy.function(*arguments)

    spy = Protocol(**{**vars(toy), "function": spying})
    (tmp_path / "movie.txt").write_text("good")
    with threadpool_limits(2, "blas"):
        (found,) = Application((spy,)).run([tmp_path / "movie.txt"], tmp_path / "out", {})
    assert found["warning"] == "good"
    if not counts:
        pytest.skip("this NumPy's BLAS has no threads")
    assert set(counts) == {1}


def test_what_a_protocol_needs_is_made_of_the_file_first() -> None:
    usable = applications()
    assert [step.name for step in usable["align_movie"].steps] == ["import_movies", "align_movie"]
    chain = ["import_micrographs", "estimate_ctf", "pick_particles", "extract_particles"]
    assert [step.name for step in usable["extract_particles"].steps] == chain
    assert next(iter(usable["extract_particles"].options)) == "box_size"
    assert "diameter" in usable["extract_particles"].options
    assert "folder" not in usable["extract_particles"].options


def test_what_takes_many_items_together_gets_those_of_all_files(tmp_path: Path, toys: dict[str, Protocol]) -> None:
    for name in ("one", "two", "bad"):
        (tmp_path / f"{name}.txt").write_text("bad" if name == "bad" else "good")
    files = [tmp_path / f"{name}.txt" for name in ("one", "bad", "two")]
    application = Application((toys["toy_import"], toys["toy_fold"]))
    *each, last = application.run(files, tmp_path / "out", {})
    assert [record.get("key") for record in each] == ["one", None, "two"]
    assert each[1]["error"] == "DataError"
    assert last["input"] == [str(files[0]), str(files[2])]
    assert last["reason"] == "[one two]"
    assert last["micrograph"] == str(tmp_path / "out/accepted.star")


def test_nothing_is_done_where_an_output_could_replace_a_file(tmp_path: Path, toys: dict[str, Protocol]) -> None:
    """An output has its input's name, and is renamed into place."""
    for folder in ("raw", "more", "links"):
        (tmp_path / folder).mkdir()
    raw = [tmp_path / name for name in ("raw/one.txt", "raw/two.a.txt", "more/one.txt", "more/two_a.txt")]
    for file in raw:
        file.write_text("good")
    (tmp_path / "links/one.txt").symlink_to(raw[0])
    (tmp_path / "raw_too").symlink_to(tmp_path / "raw")
    application = Application((toys["toy_import"], toys["toy_fold"]))
    for file, out in (
        (raw[0], "raw"),
        (raw[0], "raw_too"),
        (tmp_path / "raw_too/one.txt", "raw"),
        (tmp_path / "links/one.txt", "raw"),
        (tmp_path / "links/one.txt", "links"),
    ):
        with pytest.raises(ParameterError, match=r"would be written beside .*one\.txt.*--out"):
            next(application.run([raw[2], file], tmp_path / out, {}))
    for other in ((raw[0], raw[2]), (raw[1], raw[3]), (raw[0], raw[0])):
        with pytest.raises(ParameterError, match=r"would have the same names; give each file once"):
            next(application.run(other, tmp_path / "out", {}))
    assert not (tmp_path / "out").exists()
    assert {file.read_text() for file in raw} == {"good"}
    assert len(list(application.run(raw[:2], tmp_path / "out", {}))) == 3


def test_what_lies_beside_a_micrograph_is_left_out(tmp_path: Path) -> None:
    names = ["a.mrc", "a_PS.mrc", "a_noDW.mrc", "a_EVN.mrc", "a_ODD.mrc", "b_noDW.mrc", "c_PS.mrc", "else/a_PS.mrc"]
    kept, left = without_byproducts([tmp_path / name for name in names])
    assert [file.name for file in kept] == ["a.mrc", "b_noDW.mrc", "c_PS.mrc", "a_PS.mrc"]
    assert [file.name for file in left] == names[1:5]


def test_particles_of_an_image_are_cut_out_without_a_session(tmp_path: Path) -> None:
    image, _ = simulate_micrograph(Conditions(seed=5, size=(768, 768)))
    write_mrc(tmp_path / "a.b.mrc", image, 1.5)
    application = applications()["extract_particles"]
    values = {"diameter": 125.0, "voltage": 300.0, "particle_pixel_size": 4.5}
    (found,) = application.run([tmp_path / "a.b.mrc"], tmp_path / "out", values)
    assert "message" not in found, found
    assert found["count"] > 10
    assert found["micrograph"] == str(tmp_path / "a.b.mrc")
    assert found["stack"] == str(tmp_path / "out/a_b_particles.mrcs")
    assert len(np.load(found["coordinates"])) == found["count"] == len(mrcfile.read(found["stack"]))
    (refused,) = application.run([tmp_path / "a.b.mrc"], tmp_path / "out", {**values, "diameter": 1000.0})
    assert refused["error"] == "DataError"
    assert "Check the diameter" in refused["message"]


@pytest.mark.parametrize("suffix", [".tif", ".mrc"])
def test_a_file_comes_out_the_same_however_many_threads_share_it(tmp_path: Path, suffix: str) -> None:
    movie = simulate_movie(Conditions(seed=3, size=(384, 390), frames=5))
    path = tmp_path / f"movie{suffix}"
    {".tif": write_tiff_movie, ".mrc": write_mrc}[suffix](path, movie.frames, 1.5)
    made = []
    for count in (1, 3):
        values = {"dose_per_frame": 1.0, "voltage": 300.0, "binning": 1.5}
        (found,) = applications()["align_movie"].run([path], tmp_path / str(count), values, threads=count)
        assert "message" not in found, found
        made.append(found)
    alone, shared = made
    assert shared["shift_x"] == pytest.approx(alone["shift_x"], abs=1e-6)
    for name in ("path", "power_spectrum"):
        np.testing.assert_allclose(mrcfile.read(shared[name]), mrcfile.read(alone[name]), rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize(("rotation", "flip"), [(0, 0), (1, 2)])
def test_metadata_name_the_gain_as_it_was_applied(tmp_path: Path, rotation: int, flip: int) -> None:
    """RELION reads the file that the metadata name and multiplies with it as it is."""
    movie = simulate_movie(Conditions(seed=3, size=(256, 272), frames=3))
    write_tiff_movie(tmp_path / "movie.tif", movie.frames, 1.5)
    stored = np.rot90(movie.gain_reference[:, ::-1] if flip else movie.gain_reference, rotation)
    write_mrc(tmp_path / "gain.mrc", np.ascontiguousarray(stored, np.float32), None)
    gain = {"gain_reference": str(tmp_path / "gain.mrc"), "gain_rotation": rotation, "gain_flip": flip}
    values = {**gain, "dose_per_frame": 1.0, "voltage": 300.0}
    (found,) = applications()["align_movie"].run([tmp_path / "movie.tif"], tmp_path / "out", values)
    assert "message" not in found, found
    assert found["warning"] is None or "gain" not in found["warning"]
    name = read_star(found["metadata"])["general"]["rlnMicrographGainName"]
    assert (name == gain["gain_reference"]) is (rotation == 0)
    np.testing.assert_allclose(mrcfile.read(name), movie.gain_reference, rtol=1e-6)


@pytest.mark.parametrize(("name", "rotation"), [("camera.gain", 0), ("camera.gain", 3), ("camera.tif", 0)])
def test_a_gain_is_turned_once_and_the_frames_get_the_same(tmp_path: Path, name: str, rotation: int) -> None:
    gain = np.random.default_rng(0).uniform(0.5, 2.0, (8, 8)).astype(np.float32)
    gain[3, 5] = 0
    write_tiff_movie(tmp_path / name, [gain], None)
    optics = {"pixel_size": 1.0, "voltage": 300.0, "spherical_aberration": 2.7, "amplitude_contrast": 0.1}
    lying = {"gain_reference": str(tmp_path / name), "gain_rotation": rotation, "eer_grouping": 6}
    shape = {"frames": 6, "height": 16, "width": 16}
    movie = Movie(key="movie", acquired_at=0.0, path="/movie.eer", **optics, **lying, **shape)  # type: ignore[arg-type]
    upright = with_upright_gain(movie, tmp_path / "Gains")
    assert (upright == movie) is (name == "camera.gain" and rotation == 0)
    assert with_upright_gain(movie, tmp_path / "Gains") == upright
    assert len(list(tmp_path.glob("Gains/*"))) == (upright != movie)
    given, found = (FolderWorkbench(tmp_path, "", "movie").read_gain(one) for one in (movie, upright))
    np.testing.assert_allclose(found, given, rtol=1e-6)


def test_a_file_gets_as_many_threads_as_there_are_cores(
    tmp_path: Path, toys: dict[str, Protocol], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emlab.engine.apply.cpu_cores", lambda: 5)
    toy, told = toys["toy_import"], []

    def spying(*arguments: Any) -> Any:
        told.append(threads())
        return toy.function(*arguments)

    spy = Application((Protocol(**{**vars(toy), "function": spying}),))
    (tmp_path / "movie.txt").write_text("good")
    list(spy.run([tmp_path / "movie.txt"], tmp_path / "out", {}))
    list(spy.run([tmp_path / "movie.txt"], tmp_path / "out", {}, threads=2))
    assert (told, threads()) == ([5, 2], 1)
