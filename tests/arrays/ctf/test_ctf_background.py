from __future__ import annotations

import numpy as np
import pytest

from emlab.arrays.ctf import flatten, rings_between
from emlab.errors import DataError
from emlab.simulation.optics import Optics

RINGS = rings_between(512, 1.4, 1 / 30, 1 / 3)


def test_a_steep_background_is_taken_away(thon_rings) -> None:
    data = flatten(thon_rings(Optics(), height=0.0, noise=None), RINGS)
    assert np.abs(data.excess).max() < 0.02


def test_what_is_left_is_relative_to_it(thon_rings) -> None:
    data = flatten(thon_rings(Optics(), height=0.3, noise=None), RINGS)
    outer = data.excess[RINGS.spread(RINGS.frequency) > 0.1]
    assert outer.max() == pytest.approx(0.3, abs=0.08)
    assert outer.min() == pytest.approx(-0.3, abs=0.08)


def test_lobes_of_interpolation_are_taken_away(thon_rings) -> None:
    power = thon_rings(Optics(), height=0.1)
    ky, kx = np.meshgrid(*2 * [np.fft.fftshift(np.fft.fftfreq(512, 1.4))], indexing="ij")
    dimmed = power * (1.0 - 0.7 * np.sin(np.pi * ky * 1.4) ** 2) * (1.0 - 0.7 * np.sin(np.pi * kx * 1.4) ** 2)
    untouched, restored = flatten(power, RINGS), flatten(dimmed.astype(np.float32), RINGS)
    assert np.std(restored.excess - untouched.excess) < 0.1 * np.std(untouched.excess)


def test_spots_are_cut(thon_rings) -> None:
    power = thon_rings(Optics(), height=0.1)
    spotted = power.copy()
    spotted[220:222, 380:383] *= 3000.0
    clean, cut = flatten(power, RINGS), flatten(spotted, RINGS)
    assert cut.excess.max() < 6.0
    assert np.median(np.abs(cut.excess - clean.excess)) < 0.002


def test_noisy_rings_weigh_less(thon_rings) -> None:
    power = thon_rings(Optics(), height=0.0)
    k = np.hypot(*np.meshgrid(*2 * [np.fft.fftshift(np.fft.fftfreq(512, 1.4))]))
    noisy = (k > 0.25) & (k < 0.28)
    power[noisy] *= np.random.default_rng(2).gamma(4, 1 / 4, noisy.sum())
    weights = flatten(power, RINGS).weights
    noisy_rings = (RINGS.frequency > 0.252) & (RINGS.frequency < 0.278)
    assert weights[noisy_rings].max() < 0.3 * np.median(weights[~noisy_rings])


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf])
def test_a_spectrum_of_nothing_is_refused(value: float) -> None:
    with pytest.raises(DataError, match="blank or not finite"):
        flatten(np.full((512, 512), value, np.float32), RINGS)


def test_an_inner_part(thon_rings) -> None:
    data = flatten(thon_rings(Optics()), RINGS).up_to(0.2)
    assert data.rings.frequency[-1] <= 0.2
    assert data.excess.size == data.rings.index.size
    assert data.weights.size == data.rings.counts.size
