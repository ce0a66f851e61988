from __future__ import annotations

import numpy as np
import pytest

from emlab.simulation.ice import forgetting, frame_average, phase_power, structure_factor
from emlab.simulation.scattering import (
    WATER_DENSITY,
    atom_scattering,
    phase_per_length,
    protein_scattering,
    water_scattering,
)


def test_scattering_factors_are_those_of_the_international_tables():
    assert atom_scattering("C", 0.0) == pytest.approx(2.509, abs=1e-3)
    assert atom_scattering("C", 1.0) < atom_scattering("C", 0.1) < atom_scattering("C", 0.0)


def test_a_large_array_has_the_same_factors_as_its_parts():
    k_squared = np.random.default_rng(1).uniform(0.0, 0.5, 10_000)
    np.testing.assert_allclose(
        atom_scattering("C", k_squared)[::100], atom_scattering("C", k_squared[::100]), rtol=3e-6
    )


def test_the_inner_potential_of_ice_is_about_four_and_a_half_volts():
    volts = 47.878 * WATER_DENSITY * float(water_scattering(0.0))
    assert volts == pytest.approx(4.5, abs=0.2)


def test_a_phase_is_the_interaction_constant_times_the_projected_potential():
    assert phase_per_length(300.0) / 47.878 == pytest.approx(6.526e-4, rel=2e-3)
    assert phase_per_length(200.0) / 47.878 == pytest.approx(7.288e-4, rel=2e-3)


def test_ice_hides_half_of_a_proteins_shape_and_nothing_of_its_detail():
    k_squared = np.array([0.0, 0.2])
    alone = atom_scattering("C", k_squared) * np.exp(-15.0 * k_squared)
    shape, detail = protein_scattering(k_squared) / alone
    assert 0.3 < shape < 0.7
    assert 1.0 < detail < 1.3


def test_ice_has_a_ring_at_three_point_seven_angstrom():
    k = np.linspace(0.05, 0.6, 1000)
    assert 1 / k[structure_factor(k).argmax()] == pytest.approx(3.7, abs=0.1)
    assert phase_power(k**2, 800.0, 300.0) == pytest.approx(2 * phase_power(k**2, 400.0, 300.0))


def test_the_beam_shakes_up_fine_detail_of_ice_and_leaves_the_coarse():
    kept = np.exp(-forgetting(np.array([0.05, 0.27]) ** 2, 2.0))
    assert kept[0] > 0.9
    assert kept[1] < 0.3
    assert frame_average(np.array([1e-6])) == pytest.approx(1.0, abs=1e-3)
    assert frame_average(np.array([100.0])) == pytest.approx(0.02, rel=0.02)
