from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from emlab.arrays.ctf import (
    Defocus,
    Fit,
    Flattened,
    Lens,
    Profile,
    aliasing_resolution,
    equiphase_profile,
    fit_resolution,
    ice_density,
    refine,
    rings_between,
    score,
)
from emlab.simulation.optics import Optics

OPTICS = Optics(defocus_u=15_000.0, defocus_v=14_000.0, defocus_angle=30.0)
TRUTH = Defocus.from_axes(15_000.0, 14_000.0, 30.0)


def profile_of(data: Flattened, lens: Lens) -> Profile:
    return equiphase_profile(data, lens, refine(data, lens, TRUTH))


def test_rings_alone_score_high_and_noise_alone_0(rings_of: Callable[..., Flattened], lens: Lens) -> None:
    scores = []
    for height, noise in ((0.98, None), (0.3, 1), (0.1, 1), (0.0, 1)):
        data = rings_of(OPTICS, height=height, noise=noise)
        scores.append(score(data, lens, refine(data, lens, TRUTH)))
    assert scores[0] > 0.85
    assert scores == sorted(scores, reverse=True)
    assert abs(scores[-1]) < 0.05


def test_the_score_of_a_wrong_fit_is_low(rings_of: Callable[..., Flattened], lens: Lens) -> None:
    data = rings_of(OPTICS, height=0.1)
    assert score(data, lens, refine(data, lens, Defocus(22_000.0))) < 0.3 * score(data, lens, refine(data, lens, TRUTH))


def test_astigmatism_does_not_blur_the_profile(rings_of: Callable[..., Flattened], lens: Lens) -> None:
    profile = profile_of(rings_of(OPTICS, height=0.3, noise=None), lens)
    outer = profile.frequency > 0.06
    np.testing.assert_allclose(profile.spectrum[outer], profile.model[outer], atol=0.12)
    assert np.all(profile.agreement > 0.97)
    assert np.ptp(profile.model[(profile.frequency > 0.2) & (profile.frequency < 0.25)]) > 0.8


@pytest.mark.parametrize("reach", [8.0, 5.0, 3.5])
def test_the_fit_resolution_is_where_the_rings_end(
    rings_of: Callable[..., Flattened], lens: Lens, reach: float
) -> None:
    data = rings_of(OPTICS, height=0.2, reach=reach)
    fit = refine(data, lens, TRUTH)
    resolution = fit_resolution(equiphase_profile(data, lens, fit), fit)
    assert 1 / resolution == pytest.approx(1 / reach, abs=0.02)


def test_a_fit_to_noise_has_no_resolution(rings_of: Callable[..., Flattened], lens: Lens) -> None:
    data = rings_of(OPTICS, height=0.0)
    fit = refine(data, lens, TRUTH)
    assert fit_resolution(equiphase_profile(data, lens, fit), fit) == pytest.approx(30.0, rel=0.03)


def test_inverted_rings_disagree(rings_of: Callable[..., Flattened], lens: Lens) -> None:
    data = rings_of(OPTICS, height=0.2, noise=None)
    beyond = data.rings.spread(data.rings.frequency) > 0.15
    inverted = replace(data, excess=np.where(beyond, -data.excess, data.excess))
    profile = profile_of(inverted, lens)
    assert np.all(profile.agreement[profile.frequency > 0.18] < -0.8)


def test_the_ice_ring_is_measured_against_its_sides(thon_rings: Callable[..., NDArray[Any]]) -> None:
    power = thon_rings(OPTICS, height=0.1)
    assert ice_density(power, 1.4) == pytest.approx(1.0, abs=0.02)
    k = np.hypot(*np.meshgrid(*2 * [np.fft.fftshift(np.fft.fftfreq(512, 1.4))]))
    icy = np.where((k > 0.25) & (k < 0.28), 1.5 * power, power)
    assert ice_density(icy, 1.4) == pytest.approx(1.5, abs=0.05)


def test_coarse_pixels_do_not_see_the_ice_ring(thon_rings: Callable[..., NDArray[Any]]) -> None:
    assert ice_density(thon_rings(OPTICS), 1.6) is None


def test_rings_of_high_defocus_are_too_fine_for_small_tiles(lens: Lens) -> None:
    def aliasing(size: int, mean: float) -> float | None:
        rings = rings_between(size, 1.4, 1 / 30, 1 / 3)
        fit = Fit(Defocus(mean), np.eye(3), np.zeros(0), np.zeros(0), 100.0)
        return aliasing_resolution(rings, lens, fit)

    assert aliasing(512, 10_000.0) is None
    assert aliasing(256, 50_000.0) == pytest.approx(4 * 0.0197 * 50_000.0 / (256 * 1.4), rel=0.05)
