"""A card gives the CPU's numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from emlab.arrays.compiled import compile_kernels
from emlab.arrays.ctf import (
    Lens,
    SearchRange,
    diagnostic_picture,
    equiphase_profile,
    estimate,
    flatten,
    rings_between,
    score,
    tile_spectrum,
)
from emlab.arrays.module import array_module, to_host
from emlab.arrays.motion import CleanFrames, Dose, Motion, clean_frames, estimate_motion, sum_frames
from emlab.arrays.thumbnail import thumbnail
from emlab.simulation import Conditions, Optics, SimulatedMovie, simulate_micrograph

pytestmark = pytest.mark.gpu

DOSE = Dose(per_frame=1.2, before=0.0, voltage=300.0)
WITHIN = SearchRange(3000.0, 50_000.0, 1500.0)


@pytest.fixture(scope="module")
def both(cupy: Any, movie: SimulatedMovie) -> list[tuple[CleanFrames, Motion]]:
    """Frames and their motion, here and there."""
    there = [cupy.asarray(frame) for frame in movie.frames], cupy.asarray(movie.gain_reference)
    cleaned = [clean_frames(movie.frames, movie.gain_reference), clean_frames(*there)]
    return [(frames, estimate_motion(frames, 1.0)) for frames in cleaned]


def test_bad_pixels_and_counts_are_the_same(both: list[tuple[CleanFrames, Motion]]) -> None:
    (here, _), (there, _) = both
    np.testing.assert_array_equal(there.replaced, here.replaced)
    assert there.hot == here.hot
    assert there.mean == pytest.approx(here.mean, rel=1e-5)
    for one, other in zip(here, there, strict=True):
        np.testing.assert_allclose(to_host(other), one, rtol=1e-6)


def test_the_motion_is_the_same_to_a_hundredth_of_a_pixel(both: list[tuple[CleanFrames, Motion]]) -> None:
    (_, here), (_, there) = both
    assert here.field.is_local
    places = [np.linspace(0, size - 1, 9) for size in here.field.shape]
    for frame in range(here.field.coefficients.shape[2]):
        np.testing.assert_allclose(there.field.whole[frame], here.field.whole[frame], atol=0.01)
        np.testing.assert_allclose(there.field.local(frame, *places), here.field.local(frame, *places), atol=0.01)
    assert there.uncertainty == pytest.approx(here.uncertainty, rel=0.01)


@pytest.mark.parametrize(("binning", "local"), [(1.0, True), (1.0, False), (2.0, True)])
def test_sums_are_the_same(both: list[tuple[CleanFrames, Motion]], binning: float, local: bool) -> None:
    (here, motion), (there, _) = both
    field = motion.field if local else type(motion.field)(motion.field.coefficients[:, :1], motion.field.shape)
    options = {"dose": DOSE, "grouping_dose": 1.2, "binning": binning, "unweighted": True, "halves": True}
    one, other = (sum_frames(frames, field, 1.0, **options) for frames in (here, there))
    pairs = [(one.image, other.image), (one.unweighted, other.unweighted), *zip(one.halves, other.halves, strict=True)]
    for expected, found in pairs:
        difference = to_host(found) - expected
        assert np.abs(difference).max() < 1e-3 * expected.mean()
        assert np.sqrt((difference**2).mean()) < 1e-4 * expected.std()
    np.testing.assert_allclose(to_host(other.power), one.power, rtol=1e-3)
    np.testing.assert_allclose(to_host(thumbnail(other.image)), thumbnail(one.image), atol=1)


@pytest.mark.parametrize("phase_shift", [0.0, 60.0])
def test_the_ctf_is_the_same_to_an_angstrom(cupy: Any, phase_shift: float) -> None:
    optics = Optics(defocus_u=14_000.0, defocus_v=13_500.0, defocus_angle=30.0, phase_shift=phase_shift)
    image, _ = simulate_micrograph(Conditions(seed=3, size=(1536, 1536), pixel_size=1.0, frames=20, optics=optics))
    image = image.astype(np.float32)
    here, there = _fitted(image, phase_shift > 0), _fitted(cupy.asarray(image), phase_shift > 0)
    np.testing.assert_allclose(there["defocus"], here["defocus"], atol=1.0)
    np.testing.assert_allclose(there["phase"], here["phase"], atol=0.1)
    np.testing.assert_allclose(there["score"], here["score"], atol=1e-3)
    # A sample on the border between two bins may lie in either.
    assert np.abs(there["curves"] - here["curves"]).mean() < 5e-4
    assert (np.abs(there["picture"].astype(int) - here["picture"]) > 3).mean() < 0.01


def test_every_kernel_compiles_and_runs(cupy: Any) -> None:
    compile_kernels(cupy)
    cupy.cuda.Device().synchronize()


def _fitted(image: NDArray[Any], with_phase: bool) -> dict[str, Any]:
    spectrum = tile_spectrum(image, 512)
    data = flatten(spectrum, rings_between(512, 1.0, 1 / 30, 1 / 3, array_module(image)))
    lens = Lens.of_microscope(300.0, 2.7, 0.07)
    within = SearchRange(WITHIN.min_defocus, WITHIN.max_defocus, WITHIN.max_astigmatism, with_phase)
    fit = estimate(data, lens, within, nodes=True)
    profile = equiphase_profile(data, lens, fit)
    return {
        "defocus": [fit.defocus.u, fit.defocus.v],
        "phase": fit.defocus.phase_shift,
        "score": score(data, lens, fit),
        "curves": np.stack([profile.spectrum, profile.model]),
        "picture": to_host(diagnostic_picture(data, lens, fit, 4.0)),
    }
