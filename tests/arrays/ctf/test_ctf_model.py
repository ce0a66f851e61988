from __future__ import annotations

import numpy as np
import pytest

from emlab.arrays.ctf import Defocus, Lens, phase_delay, ring_spacing, transfer
from emlab.simulation.optics import Optics, aberration

KRIOS = Lens.of_microscope(300.0, 2.7, 0.07)


def test_protein_is_dark_at_underfocus() -> None:
    low = np.array([0.0, 0.01**2, 0.02**2])
    assert np.all(transfer(KRIOS, low, 1.0, 0.0, Defocus(15_000.0)) < 0)


def test_it_is_the_simulators_optics() -> None:
    ky, kx = np.meshgrid(np.linspace(-0.3, 0.3, 41), np.linspace(0.001, 0.3, 30), indexing="ij")
    u, v, angle, shift = 16_000.0, 14_000.0, -35.0, 40.0
    optics = Optics(defocus_u=u, defocus_v=v, defocus_angle=angle, phase_shift=shift)
    doubled = 2 * np.arctan2(ky, kx)
    defocus = Defocus.from_axes(u, v, angle, shift)
    ours = phase_delay(KRIOS, kx**2 + ky**2, np.cos(doubled), np.sin(doubled), defocus)
    np.testing.assert_allclose(ours, aberration(optics, ky, kx) + np.arcsin(0.07), rtol=1e-9)


def test_the_angle_runs_from_x_towards_y() -> None:
    defocus = Defocus.from_axes(20_000.0, 10_000.0, 30.0)
    doubled = np.radians(2 * np.array([30.0, 120.0]))
    squares = np.full(2, 0.05**2)
    along = phase_delay(KRIOS, squares, np.cos(doubled), np.sin(doubled), defocus)
    expected = [phase_delay(KRIOS, squares[:1], 1.0, 0.0, Defocus(mean))[0] for mean in (20_000.0, 10_000.0)]
    np.testing.assert_allclose(along, expected)


@pytest.mark.parametrize("angle", [-89.9, -45.0, 0.0, 12.5, 45.0, 90.0])
def test_axes_there_and_back(angle: float) -> None:
    defocus = Defocus.from_axes(21_000.0, 20_000.0, angle)
    assert (defocus.u, defocus.v, defocus.angle) == pytest.approx((21_000.0, 20_000.0, angle))
    assert (defocus.mean, defocus.astigmatism) == pytest.approx((20_500.0, 1000.0))


@pytest.mark.parametrize(("given", "said"), [(-90.0, 90.0), (100.0, -80.0), (-120.0, 60.0)])
def test_an_axis_has_no_direction_so_its_angle_is_above_minus_90_and_up_to_90(given: float, said: float) -> None:
    assert Defocus.from_axes(21_000.0, 20_000.0, given).angle == pytest.approx(said)


def test_u_is_never_below_v() -> None:
    exchanged = Defocus.from_axes(10_000.0, 12_000.0, 20.0)
    assert (exchanged.u, exchanged.v, exchanged.angle) == pytest.approx((12_000.0, 10_000.0, -70.0))


def test_a_phase_plate_of_90_degrees_turns_sine_into_cosine() -> None:
    lens = Lens.of_microscope(300.0, 2.7, 0.0)
    assert transfer(lens, np.zeros(1), 1.0, 0.0, Defocus(5000.0, phase_shift=90.0))[0] == pytest.approx(-1.0)


def test_the_phase_grows_by_half_a_turn_from_ring_to_ring() -> None:
    frequency, defocus = np.array([0.1, 0.15, 0.2]), Defocus(20_000.0)
    spacing = ring_spacing(KRIOS, frequency, defocus.mean)
    inner, outer = (phase_delay(KRIOS, (frequency + side * spacing / 2) ** 2, 1.0, 0.0, defocus) for side in (-1, 1))
    np.testing.assert_allclose(outer - inner, np.pi, rtol=1e-3)


def test_single_precision_stays_single() -> None:
    assert transfer(KRIOS, np.zeros(3, np.float32), 1.0, 0.0, Defocus(5000.0)).dtype == np.float32
