"""A fit on a card is that of the CPU, from the spectrum to the picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from emlab.arrays.ctf import (
    Lens,
    SearchRange,
    diagnostic_picture,
    equiphase_profile,
    estimate,
    fit_resolution,
    flatten,
    ice_density,
    rings_between,
    score,
    search,
)
from emlab.arrays.module import array_module, to_host
from emlab.arrays.thumbnail import thumbnail
from emlab.simulation.optics import Optics


def told(spectrum: NDArray[Any], lens: Lens, within: SearchRange) -> dict[str, Any]:
    """All that is found in a spectrum."""
    data = flatten(spectrum, rings_between(512, 1.4, 1 / 30, 1 / 3, array_module(spectrum)))
    fit = estimate(data, lens, within, nodes=True)
    profile = equiphase_profile(data, lens, fit)
    resolution = fit_resolution(profile, fit)
    return {
        "candidates": [[one.mean, one.straight, one.diagonal, one.phase_shift] for one in search(data, lens, within)],
        "defocus": [fit.defocus.mean, fit.defocus.straight, fit.defocus.diagonal],
        "phase_shift": fit.defocus.phase_shift,
        "thickness": fit.thickness,
        "errors": np.sqrt(np.diag(fit.covariance)),
        "gain": fit.gain,
        "curves": np.stack([profile.spectrum, profile.model, profile.agreement]),
        "figures": [resolution, score(data, lens, fit), ice_density(spectrum, 1.4)],
        "picture": to_host(diagnostic_picture(data, lens, fit, resolution)),
    }


@pytest.mark.parametrize(("phase_shift", "thickness"), [(0.0, 0.0), (0.0, 1500.0), (70.0, 0.0)])
def test_the_same_on_a_card(
    phase_shift: float, thickness: float, thon_rings: Callable[..., NDArray[Any]], lens: Lens, card: Any
) -> None:
    optics = Optics(defocus_u=13_500.0, defocus_v=12_900.0, defocus_angle=35.0, phase_shift=phase_shift)
    spectrum = thon_rings(optics, height=0.2, noise=1, thickness=thickness)
    within = SearchRange(5000.0, 30_000.0, 1500.0, phase_shift > 0)
    here, there = told(spectrum, lens, within), told(card.asarray(spectrum), lens, within)
    assert (here["thickness"] > 0) == (thickness > 0)
    assert there["candidates"] == here["candidates"]
    np.testing.assert_allclose(there["defocus"], here["defocus"], atol=0.3)
    np.testing.assert_allclose(there["phase_shift"], here["phase_shift"], atol=0.02)
    np.testing.assert_allclose(there["thickness"], here["thickness"], atol=1.0)
    np.testing.assert_allclose(there["errors"], here["errors"], rtol=1e-3)
    np.testing.assert_allclose(there["gain"], here["gain"], rtol=1e-3)
    np.testing.assert_allclose(there["curves"], here["curves"], atol=2e-3)
    np.testing.assert_allclose(there["figures"], here["figures"], rtol=1e-3)
    assert (np.abs(there["picture"].astype(int) - here["picture"]) > 2).mean() < 1e-3


def test_a_thumbnail_on_a_card(card: Any) -> None:
    image = np.random.default_rng(0).normal(size=(700, 900)).astype(np.float32)
    np.testing.assert_allclose(thumbnail(card.asarray(image), 200).get(), thumbnail(image, 200), atol=1)
