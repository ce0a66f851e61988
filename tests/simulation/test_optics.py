from __future__ import annotations

import math

import numpy as np
import pytest

from emlab.simulation.optics import Optics, aberration, coherence, contrast, depth_fading, ring_power, uneven_defocus

WAVELENGTH = 0.019687


def chi(y: float, x: float, **setting: float) -> float:
    optics = Optics(**{"spherical_aberration": 0.0, **setting})
    return float(aberration(optics, np.array(y), np.array(x)))


def test_underfocus_is_positive_and_spherical_aberration_works_against_it():
    assert chi(0.0, 0.1, defocus_u=10000.0, defocus_v=10000.0) == pytest.approx(math.pi * WAVELENGTH * 100.0, rel=1e-4)
    bare = chi(0.0, 0.25, defocus_u=1e4, defocus_v=1e4)
    lens = chi(0.0, 0.25, defocus_u=1e4, defocus_v=1e4, spherical_aberration=2.7)
    assert bare - lens == pytest.approx(0.5 * math.pi * 2.7e7 * WAVELENGTH**3 * 0.25**4, rel=1e-3)


@pytest.mark.parametrize(
    ("angle", "along_u", "along_v"),
    [
        (0.0, (0.0, 0.1), (0.1, 0.0)),
        (90.0, (0.1, 0.0), (0.0, 0.1)),
        (45.0, (0.0707107, 0.0707107), (-0.0707107, 0.0707107)),
    ],
)
def test_the_angle_runs_from_the_columns_towards_the_rows_to_the_u_axis(angle, along_u, along_v):
    setting = {"defocus_u": 20000.0, "defocus_v": 10000.0, "defocus_angle": angle}
    assert chi(*along_u, **setting) == pytest.approx(2 * chi(*along_v, **setting), rel=1e-5)


def test_a_phase_plate_adds_its_degrees():
    assert chi(0.0, 0.0, phase_shift=90.0) == pytest.approx(math.pi / 2)


def test_protein_is_dark_in_underfocus_up_to_the_first_zero():
    optics = Optics(defocus_u=1e4, defocus_v=1e4)
    k = np.linspace(0.0, 0.069, 50)
    assert np.all(contrast(optics, aberration(optics, np.zeros(50), k)) < 0)


def test_rings_fade_where_top_and_bottom_of_the_specimen_are_out_of_step():
    optics, chi = Optics(), np.linspace(0.0, 20.0, 500)
    k_squared = np.array([1.0 / (WAVELENGTH * 2000.0)])
    thin, thick = depth_fading(optics, 0.0, k_squared), depth_fading(optics, 2000.0, k_squared)
    assert ring_power(optics, chi, thin) == pytest.approx(contrast(optics, chi) ** 2)
    assert ring_power(optics, chi, thick) == pytest.approx(np.full(500, 2.0), abs=1e-2)


def test_coherence_takes_high_frequencies_first():
    envelope = coherence(Optics(), np.linspace(0.0, 0.25, 30))
    assert envelope[0] == 1.0
    assert np.all(np.diff(envelope) < 0)
    assert 0.1 < envelope[-1] < 0.9


def test_vibration_blurs_like_a_temperature_factor_of_8_pi_squared_times_its_mean_square():
    k_squared = np.array([0.0, 0.04])
    still, shaken = coherence(Optics(), k_squared), coherence(Optics(vibration=1.0), k_squared)
    np.testing.assert_allclose(shaken / still, np.exp(-0.25 * 8 * np.pi**2 * k_squared))


def test_a_tilted_field_is_further_from_focus_on_one_side_of_its_axis():
    about_x = uneven_defocus(Optics(tilt_angle=45.0), (100, 100), 2.0)
    assert about_x[75, 10] == pytest.approx(50.0)
    assert about_x[50, 90] == pytest.approx(0.0)
    about_y = uneven_defocus(Optics(tilt_angle=45.0, tilt_axis=90.0), (100, 100), 2.0)
    assert about_y[10, 75] == pytest.approx(-50.0)


def test_a_dome_is_further_from_focus_in_the_middle():
    defocus = uneven_defocus(Optics(dome=300.0), (100, 100), 2.0)
    assert defocus[50, 50] == 0.0
    assert defocus[0, 0] == pytest.approx(-300.0)
    assert defocus[50, 0] == pytest.approx(-150.0)
