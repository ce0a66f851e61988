from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from emlab.arrays.ctf import Defocus, Flattened, Lens, SearchRange, equiphase_profile, estimate, fit_resolution, refine
from emlab.arrays.ctf.thickness import with_nodes
from emlab.simulation.optics import Optics

OPTICS = Optics(defocus_u=11_000.0, defocus_v=10_600.0, defocus_angle=20.0)
START = Defocus.from_axes(11_000.0, 10_600.0, 20.0)


@pytest.mark.parametrize("thickness", [800.0, 1300.0, 2200.0])
def test_nodes_tell_the_thickness(rings_of: Callable[..., Flattened], lens: Lens, thickness: float) -> None:
    data = rings_of(OPTICS, height=0.15, thickness=thickness)
    fit = with_nodes(data, lens, refine(data, lens, START))
    assert fit.thickness == pytest.approx(thickness, abs=4 * fit.thickness_error)
    assert fit.thickness_error < 40.0


def test_its_error_is_what_noise_makes_it(rings_of: Callable[..., Flattened], lens: Lens) -> None:
    deviations = []
    for seed in range(12):
        data = rings_of(OPTICS, height=0.08, noise=seed, thickness=1500.0)
        fit = with_nodes(data, lens, refine(data, lens, START))
        deviations.append((fit.thickness - 1500.0) / fit.thickness_error)
    assert np.std(deviations) == pytest.approx(1.0, abs=0.5)


@pytest.mark.parametrize("reach", [3.0, 5.0])
def test_thin_ice_has_no_nodes(rings_of: Callable[..., Flattened], lens: Lens, reach: float) -> None:
    for seed in range(4):
        data = rings_of(OPTICS, height=0.1, noise=seed, reach=reach)
        fit = refine(data, lens, START)
        assert with_nodes(data, lens, fit) is fit


def test_rings_are_followed_through_a_node(rings_of: Callable[..., Flattened], lens: Lens) -> None:
    data = rings_of(OPTICS, height=0.3, thickness=1500.0)
    fits = [refine(data, lens, START), with_nodes(data, lens, refine(data, lens, START))]
    without, through = (fit_resolution(equiphase_profile(data, lens, fit), fit) for fit in fits)
    # The node is at 5.4 Å.
    assert without > 5.0
    assert through < 4.0
    assert fits[1].amplitude.min() < -0.02


def test_thick_ice_does_not_turn_the_phase(rings_of: Callable[..., Flattened], lens: Lens) -> None:
    optics = Optics(defocus_u=9000.0, defocus_v=8900.0, phase_shift=70.0)
    data = rings_of(optics, height=0.12, thickness=2500.0)
    fit = estimate(data, lens, SearchRange(3000.0, 50_000.0, 600.0, phase_shift=True), nodes=True)
    errors = np.sqrt(np.diag(fit.covariance))
    assert fit.defocus.mean == pytest.approx(8950.0, abs=4 * errors[0])
    assert fit.defocus.phase_shift % 180.0 == pytest.approx(70.0, abs=4 * errors[3])
    assert fit.thickness == pytest.approx(2500.0, abs=150.0)


def test_nodes_do_not_help_a_wrong_defocus(rings_of: Callable[..., Flattened], lens: Lens) -> None:
    """With nodes at 1000 Å it explains these weak rings a little better than the right one does without."""
    optics = Optics(defocus_u=9000.0, defocus_v=8900.0, phase_shift=70.0)
    data = rings_of(optics, height=0.016, noise=3, reach=5.0)
    fit = estimate(data, lens, SearchRange(3000.0, 50_000.0, 600.0, phase_shift=True), nodes=True)
    assert fit.thickness == 0.0
    assert fit.rival is not None
