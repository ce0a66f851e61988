from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from emlab.arrays.ctf import (
    Defocus,
    Fit,
    Flattened,
    Lens,
    SearchRange,
    estimate,
    flatten,
    refine,
    rings_between,
    standard_errors,
)
from emlab.simulation.optics import Optics

TRUTH = Defocus.from_axes(15_000.0, 14_200.0, 30.0)
OPTICS = Optics(defocus_u=TRUTH.u, defocus_v=TRUTH.v, defocus_angle=TRUTH.angle)
WIDE = SearchRange(3000.0, 50_000.0, 1500.0)


def deviation(fit: Fit, truth: Defocus = TRUTH) -> NDArray[Any]:
    """Of mean, straight and diagonal, standard errors."""
    found, true = ((d.mean, d.straight, d.diagonal) for d in (fit.defocus, truth))
    return np.subtract(found, true) / np.sqrt(np.diag(fit.covariance)[:3])


def test_without_noise_the_truth_is_found(rings_of: Callable[..., Flattened], lens: Lens) -> None:
    found = refine(rings_of(OPTICS, noise=None), lens, Defocus(14_500.0, 300.0, 600.0)).defocus
    assert (found.u, found.v) == pytest.approx((15_000.0, 14_200.0), abs=2.0)
    assert found.angle == pytest.approx(30.0, abs=0.2)


@pytest.mark.parametrize("truth", [TRUTH, Defocus(3500.0), Defocus(5000.0, phase_shift=60.0)])
def test_the_errors_are_what_noise_makes_them(rings_of: Callable[..., Flattened], lens: Lens, truth: Defocus) -> None:
    plate = truth.phase_shift
    optics = Optics(defocus_u=truth.u, defocus_v=truth.v, defocus_angle=truth.angle, phase_shift=plate)
    fits = [refine(rings_of(optics, height=0.05, noise=n), lens, truth, with_phase=plate > 0) for n in range(40)]
    deviations = np.array([deviation(fit, truth) for fit in fits])
    assert np.all(np.abs(deviations.mean(axis=0)) < 0.5)
    assert deviations.std(axis=0) == pytest.approx(np.ones(3), abs=0.35)


def test_the_errors_know_that_neighbouring_samples_are_alike(
    thon_rings: Callable[..., NDArray[Any]], lens: Lens
) -> None:
    rings = rings_between(512, 1.4, 1 / 30, 1 / 3)
    fits = []
    for seed in range(30):
        power = thon_rings(OPTICS, height=0.05, noise=None)
        noise = np.random.default_rng(seed).normal(0.0, 0.15, power.shape)
        noise = sum(np.roll(noise, shift, (0, 1)) for shift in ((0, 0), (0, 1), (1, 0), (1, 1))) / 2
        fits.append(refine(flatten(power * np.float32(1) * (1 + noise).astype(np.float32), rings), lens, TRUTH))
    assert np.array([deviation(fit) for fit in fits]).std() == pytest.approx(1.0, abs=0.25)


def test_a_start_nearby_leads_to_the_same_fit(rings_of: Callable[..., Flattened], lens: Lens) -> None:
    data = rings_of(OPTICS, height=0.05)
    best = refine(data, lens, TRUTH).defocus
    for mean, straight, diagonal in [(120.0, -150.0, 100.0), (-120.0, 150.0, 150.0), (0.0, 0.0, -250.0)]:
        start = Defocus(TRUTH.mean + mean, TRUTH.straight + straight, TRUTH.diagonal + diagonal)
        found = refine(data, lens, start).defocus
        assert (found.mean, found.straight, found.diagonal) == pytest.approx(
            (best.mean, best.straight, best.diagonal), abs=0.1
        )


def test_a_transposed_spectrum_has_its_angle_mirrored_at_the_diagonal(
    thon_rings: Callable[..., NDArray[Any]], lens: Lens
) -> None:
    power, rings = thon_rings(OPTICS, height=0.1), rings_between(512, 1.4, 1 / 30, 1 / 3)
    fit, mirrored = (estimate(flatten(p, rings), lens, WIDE).defocus for p in (power, power.T))
    assert (mirrored.u, mirrored.v) == pytest.approx((fit.u, fit.v), abs=20.0)
    assert mirrored.angle == pytest.approx(90.0 - fit.angle, abs=1.0)


def test_brightness_does_not_matter(thon_rings: Callable[..., NDArray[Any]], lens: Lens) -> None:
    power, rings = thon_rings(OPTICS, height=0.1), rings_between(512, 1.4, 1 / 30, 1 / 3)
    fit, brighter = (estimate(flatten(p, rings), lens, WIDE).defocus for p in (power, 1e6 * power))
    assert (brighter.u, brighter.v) == pytest.approx((fit.u, fit.v), abs=0.1)


@pytest.mark.parametrize("mean", [3100.0, 6000.0, 12_000.0, 30_000.0, 49_000.0])
@pytest.mark.parametrize("voltage", [200.0, 300.0])
def test_the_whole_range_is_estimated(rings_of: Callable[..., Flattened], mean: float, voltage: float) -> None:
    truth = Defocus.from_axes(mean + 250.0, mean - 250.0, -60.0)
    optics = Optics(voltage=voltage, defocus_u=truth.u, defocus_v=truth.v, defocus_angle=truth.angle)
    fit = estimate(rings_of(optics, height=0.1), Lens.of_microscope(voltage, 2.7, 0.07), WIDE)
    assert np.all(np.abs(deviation(fit, truth)) < 4.0)
    assert fit.is_significant


def test_a_phase_plate(rings_of: Callable[..., Flattened], lens: Lens) -> None:
    optics = Optics(defocus_u=8000.0, defocus_v=7700.0, defocus_angle=10.0, phase_shift=75.0)
    fit = estimate(rings_of(optics, height=0.1), lens, SearchRange(3000.0, 50_000.0, 1500.0, phase_shift=True))
    error = np.sqrt(fit.covariance[3, 3])
    assert fit.defocus.phase_shift % 180.0 == pytest.approx(75.0, abs=3.0 * error)
    assert error < 3.0
    assert np.all(np.abs(deviation(fit, Defocus.from_axes(8000.0, 7700.0, 10.0))) < 4.0)


@pytest.mark.parametrize("seed", range(6))
def test_noise_is_not_taken_for_rings(rings_of: Callable[..., Flattened], lens: Lens, seed: int) -> None:
    assert not estimate(rings_of(OPTICS, height=0.0, noise=seed), lens, WIDE).is_significant


def test_an_ice_ring_is_no_thon_ring(thon_rings: Callable[..., NDArray[Any]], lens: Lens) -> None:
    power, rings = thon_rings(OPTICS, height=0.05), rings_between(512, 1.4, 1 / 30, 1 / 3)
    k = np.hypot(*np.meshgrid(*2 * [np.fft.fftshift(np.fft.fftfreq(512, 1.4))]))
    icy = power * (1 + 1.5 * np.exp(-0.5 * ((k - 0.268) / 0.008) ** 2)).astype(np.float32)
    assert np.all(np.abs(deviation(estimate(flatten(icy, rings), lens, WIDE))) < 4.0)


def test_crystals_do_not_mislead(thon_rings: Callable[..., NDArray[Any]], lens: Lens) -> None:
    power, rings = thon_rings(OPTICS, height=0.05), rings_between(512, 1.4, 1 / 30, 1 / 3)
    generator = np.random.default_rng(4)
    turn = generator.uniform(0, 2 * np.pi, 30)
    y, x = (np.rint(256 + 716.8 / 3.7 * f(turn)).astype(int) for f in (np.sin, np.cos))
    power[y, x] *= 1000.0
    assert np.all(np.abs(deviation(estimate(flatten(power, rings), lens, WIDE))) < 4.0)


def test_standard_errors_of_axes(rings_of: Callable[..., Flattened], lens: Lens) -> None:
    defocus, covariance = Defocus.from_axes(10_400.0, 10_000.0, 30.0), np.diag([9.0, 100.0, 100.0])
    fit = Fit(defocus, covariance, np.zeros(0), np.zeros(0), 100.0)
    assert standard_errors(fit) == (
        pytest.approx(3.0),
        pytest.approx(10.0),
        pytest.approx(np.degrees(10.0 / 400.0) / 2, rel=0.01),
        None,
    )
    round_fit = Fit(Defocus(10_000.0), covariance, np.zeros(0), np.zeros(0), 100.0)
    assert standard_errors(round_fit) == pytest.approx((3.0, 10.0, 45.0, None))
    lost = Fit(defocus, np.full((3, 3), np.inf), np.zeros(0), np.zeros(0), 0.0)
    assert standard_errors(lost) is None
