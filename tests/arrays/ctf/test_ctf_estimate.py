from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from emlab.arrays.ctf import Defocus, Fit, Flattened, Lens, SearchRange, doubts, estimate
from emlab.arrays.ctf.estimate import _among
from emlab.simulation.optics import Optics

WIDE = SearchRange(3000.0, 50_000.0, 1500.0)


def fit(mean: float, gain: float) -> Fit:
    return Fit(Defocus(mean), np.diag([100.0, 400.0, 400.0]), np.zeros(0), np.zeros(0), gain)


def test_a_rival_that_is_as_likely_widens_the_errors() -> None:
    best = _among(fit(10_000.0, 300.0), [fit(10_000.0, 300.0), fit(10_400.0, 300.0)])
    assert best.rival == Defocus(10_400.0)
    assert best.covariance[0, 0] == pytest.approx(100.0 + 0.5 * 400.0**2)
    assert best.covariance[1, 1] == pytest.approx(400.0)


def test_the_same_fit_found_twice_and_one_that_is_far_worse_are_no_rivals() -> None:
    best = fit(10_000.0, 300.0)
    assert _among(best, [best, fit(10_010.0, 299.0), fit(12_000.0, 200.0)]) is best


def test_clear_rings_have_no_rival(rings_of: Callable[..., Flattened], lens: Lens) -> None:
    found = estimate(rings_of(Optics(), height=0.1), lens, WIDE, nodes=True)
    assert found.rival is None
    assert doubts(found, WIDE, 4.0, None) == []


def test_a_better_defocus_outside_of_the_range_is_named(rings_of: Callable[..., Flattened], lens: Lens) -> None:
    narrow = SearchRange(20_000.0, 50_000.0, 1500.0)
    found = estimate(rings_of(Optics(), height=0.2), lens, narrow, nodes=True)
    assert found.rival is not None
    assert found.rival.mean == pytest.approx(14_850.0, abs=50.0)
    assert any("outside the search range of 20000 to 50000 Å" in said for said in doubts(found, narrow, 4.0, None))
