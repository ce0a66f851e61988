from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from emlab.errors import EmlabError, ParameterError
from emlab.formats.completeness import check_complete
from emlab.formats.gain import read_gain
from emlab.formats.movie import inspect, open_movie
from emlab.formats.sidecar import read_sidecar
from emlab.simulation import Conditions, Fault, Microscope, read_truth, simulate, simulate_movie, vary
from emlab.simulation.detector import build_detector

TINY = Conditions(seed=7, size=(64, 96), frames=3)


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self):
        self.now = 1_759_485_600.25
        self.watch = lambda: None

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds
        self.watch()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def microscope(clock):
    return Microscope(count=3, pace=6.0, conditions=TINY, clock=clock, sleep=clock.sleep)


def test_movies_come_at_their_pace_under_the_names_and_in_the_folders_of_epu(microscope, tmp_path):
    written = list(replace(microscope, count=8).write(tmp_path))
    assert [w.acquired_at for w in written] == [1_759_485_600.25 + 6.0 * n for n in range(8)]
    first = tmp_path / "Images-Disc1/GridSquare_12802483/Data/FoilHole_12809138_Data_15414332_1_20251003_100000"
    assert written[0].path == first.with_name(first.name + "_Fractions.tiff")
    assert written[0].sidecar == first.with_suffix(".xml")
    assert len({w.path for w in written}) == 8
    assert len({w.path.parent for w in written}) == 2
    assert all(w.path.is_file() and w.sidecar.is_file() and w.truth.is_file() for w in written)


@pytest.mark.parametrize("format", ["tiff", "mrc"])
def test_a_movie_holds_what_was_simulated(microscope, tmp_path, format):
    microscope = replace(microscope, format=format)
    for written in microscope.write(tmp_path):
        facts = inspect(written.path)
        assert (facts.format, facts.frames, facts.height, facts.width) == (format, 3, 64, 96)
        assert facts.pixel_size == pytest.approx(1.5, rel=1e-6)
        movie = simulate_movie(vary(TINY, written.number), build_detector(TINY.size, TINY.seed))
        assert np.array_equal(np.stack(list(open_movie(written.path))), movie.frames)
        gain = read_gain(microscope.gain_reference(tmp_path), (64, 96))
        assert np.array_equal(gain, movie.gain_reference)


def test_an_eer_movie_loses_only_electrons_that_fell_together(microscope, tmp_path):
    dim = replace(TINY, dose_per_frame=0.5)
    microscope = replace(microscope, format="eer", conditions=dim, eer_grouping=8, count=1)
    (written,) = microscope.write(tmp_path)
    assert inspect(written.path, eer_grouping=8).raw_frames == 24
    fractions = np.stack(list(open_movie(written.path, eer_grouping=8)))
    assert fractions.shape == (3, 64, 96)
    gain = read_gain(microscope.gain_reference(tmp_path), (64, 96), eer=True)
    assert np.array_equal(gain, build_detector(TINY.size, TINY.seed).gain_reference)
    electrons = (fractions * gain)[:, gain > 0].mean()
    assert electrons == pytest.approx(read_truth(written.truth).mean_electrons, rel=0.1)


def test_the_sidecar_says_what_epu_would(microscope, tmp_path):
    *_, last = microscope.write(tmp_path)
    said = read_sidecar(last.path)
    assert said.acquired_at == last.acquired_at
    assert said.pixel_size == pytest.approx(1.5)
    assert said.width == 96
    assert said.voltage == pytest.approx(300.0)
    assert said.total_dose == pytest.approx(6.0)
    optics = read_truth(last.truth).conditions.optics
    assert said.target_defocus == pytest.approx(0.5 * (optics.defocus_u + optics.defocus_v), abs=500.1)
    assert (said.grid_square, said.hole) == ("12802483", "12809146")
    assert said.stage_x == pytest.approx(-9.7e5)


def test_the_truth_can_be_read_back(microscope, tmp_path):
    *_, last = microscope.write(tmp_path)
    truth = read_truth(last.truth)
    assert truth.conditions == vary(TINY, 2)
    assert truth.shift_y.shape == (3,)
    assert truth.local_x.shape == (3, 9, 9)
    again = simulate_movie(truth.conditions).truth
    assert np.array_equal(again.local_y, truth.local_y)
    assert np.array_equal(again.particles, truth.particles.reshape(-1, 3))


def test_the_same_seed_writes_the_same_movies(microscope, clock, tmp_path):
    first = [written.path.read_bytes() for written in microscope.write(tmp_path / "a")]
    again = [written.path.read_bytes() for written in microscope.write(tmp_path / "b")]
    assert first == again
    assert len(set(first)) == 3


def test_a_slow_writer_lets_the_file_grow_under_its_name_before_its_sidecar_comes(microscope, clock, tmp_path):
    sizes, sidecars = [], []

    def watch():
        sizes.append(sum(path.stat().st_size for path in tmp_path.rglob("*.tiff")))
        sidecars.append(len(list(tmp_path.rglob("*.xml"))))

    clock.watch = watch
    (written,) = replace(microscope, count=1, faults={0: Fault.SLOW_WRITER}).write(tmp_path)
    growing = sizes[1:]
    assert len(growing) == 3
    assert 0 < growing[0] < growing[1] < growing[2] <= written.path.stat().st_size
    assert set(sidecars) == {0}
    assert clock.now == pytest.approx(written.acquired_at + 6.0, rel=0, abs=1e-3)
    assert check_complete(written.path).frames == 3


@pytest.mark.parametrize("format", ["tiff", "mrc", "eer"])
def test_a_truncated_movie_stays_without_its_end_and_its_sidecar(microscope, tmp_path, format):
    microscope = replace(microscope, format=format, faults={1: Fault.TRUNCATED})
    good, bad, _ = microscope.write(tmp_path)
    assert bad.fault is Fault.TRUNCATED
    assert check_complete(good.path).state == "complete"
    assert check_complete(bad.path).state == "growing"
    assert bad.sidecar is bad.truth is None
    assert sorted(tmp_path.rglob("*.xml")) == sorted(w.sidecar for w in (good, _))


def test_a_duplicate_is_the_same_movie_under_its_name_in_another_grid_square(microscope, tmp_path):
    _, movie, copy, _ = replace(microscope, faults={1: Fault.DUPLICATE}).write(tmp_path)
    assert copy.fault is Fault.DUPLICATE
    assert movie.fault is None
    assert copy.path.name == movie.path.name
    assert copy.path.parent != movie.path.parent
    assert copy.path.read_bytes() == movie.path.read_bytes()
    assert copy.sidecar.is_file()


def test_a_movie_can_come_without_its_sidecar(microscope, tmp_path):
    written = list(replace(microscope, faults={2: Fault.MISSING_SIDECAR}).write(tmp_path))
    assert written[2].sidecar is None
    assert len(list(tmp_path.rglob("*.xml"))) == 2
    assert check_complete(written[2].path).state == "complete"


def test_a_foreign_file_has_the_name_of_a_movie_and_is_none(microscope, tmp_path):
    (written,) = replace(microscope, count=1, faults={0: Fault.FOREIGN}).write(tmp_path)
    assert written.path.suffix == ".tiff"
    assert check_complete(written.path).state == "foreign"


def test_a_blank_movie_is_whole_and_nearly_without_electrons(microscope, tmp_path):
    (written,) = replace(microscope, count=1, faults={0: Fault.BLANK}).write(tmp_path)
    frames = np.stack(list(open_movie(written.path)))
    assert np.median(frames) == 0
    assert read_sidecar(written.path).total_dose == pytest.approx(6.0)


def test_faults_are_spread_over_the_session(tmp_path):
    faults = [Fault.MISSING_SIDECAR, Fault.FOREIGN]
    written = list(simulate(tmp_path, movies=8, pace=0.0, size=(64, 64), frames=1, faults=faults))
    assert {w.number: w.fault for w in written if w.fault} == {2: Fault.MISSING_SIDECAR, 6: Fault.FOREIGN}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"movies": 0}, "0 movies"),
        ({"pace": -1.0}, r"-1\.0 s"),
        ({"format": "jpeg"}, "'jpeg'"),
        ({"size": (63, 64)}, "63 × 64"),
        ({"frames": 0}, "0 frames"),
        ({"movies": 1, "faults": list(Fault)}, "6 faults"),
    ],
)
def test_what_cannot_be_written_is_refused_before_anything_is(tmp_path, wrong, said):
    with pytest.raises(ParameterError, match=said):
        simulate(tmp_path / "new", **wrong)
    assert not (tmp_path / "new").exists()


def test_an_unphysical_movie_is_refused():
    with pytest.raises(EmlabError, match=r"0 Å"):
        Microscope(conditions=replace(TINY, pixel_size=0))
