from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from emlab.arrays.ctf import Flattened, Lens, SearchRange, search
from emlab.simulation.optics import Optics

WIDE = SearchRange(3000.0, 50_000.0, 1500.0)


def exhaustive(data: Flattened, means: list[float], components: list[float]) -> tuple[float, float, float]:
    """The best mean, straight and diagonal by looking at every sample for every candidate."""
    rings = data.up_to(0.2).rings
    excess = data.up_to(0.2).excess
    excess = excess - rings.spread(rings.means(excess))
    candidates = [(m, s, d) for m in means for s in components for d in components]
    kx, ky = (np.sqrt(rings.squares) * f(rings.angle) for f in (np.cos, np.sin))
    scores = []
    for mean, straight, diagonal in candidates:
        focus = mean * (kx**2 + ky**2) + 0.5 * straight * (kx**2 - ky**2) + diagonal * kx * ky
        chi = np.pi * 0.019687 * (focus - 0.5 * 2.7e7 * 0.019687**2 * rings.squares**2) + np.arcsin(0.07)
        template = -np.cos(2 * chi)
        template -= rings.spread(rings.means(template))
        scores.append(template @ excess / np.linalg.norm(template))
    return candidates[int(np.argmax(scores))]


@pytest.mark.parametrize(
    ("mean", "straight", "diagonal"), [(9000.0, 900.0, 300.0), (16_000.0, -300.0, -900.0), (24_000.0, 600.0, -600.0)]
)
def test_it_agrees_with_the_exhaustive_search_over_all_samples(
    rings_of: Callable[..., Flattened], lens: Lens, mean: float, straight: float, diagonal: float
) -> None:
    astigmatism, angle = np.hypot(straight, diagonal), np.degrees(np.arctan2(diagonal, straight)) / 2
    optics = Optics(defocus_u=mean + astigmatism / 2, defocus_v=mean - astigmatism / 2, defocus_angle=angle)
    data = rings_of(optics, height=0.15, noise=3)
    means = [mean + step for step in range(-600, 601, 150)]
    slow = exhaustive(data, means, [-900.0, -600.0, -300.0, 0.0, 300.0, 600.0, 900.0])
    assert slow == (mean, straight, diagonal)
    fast = search(data, lens, WIDE)[0]
    assert fast.mean == pytest.approx(mean, abs=75.0)
    assert (fast.straight, fast.diagonal) == pytest.approx((straight, diagonal), abs=301.0)


@pytest.mark.parametrize("mean", [3100.0, 5000.0, 30_000.0, 49_000.0])
def test_both_ends_of_the_range_are_searched(rings_of: Callable[..., Flattened], lens: Lens, mean: float) -> None:
    data = rings_of(Optics(defocus_u=mean, defocus_v=mean), height=0.2, noise=5)
    assert any(candidate.mean == pytest.approx(mean, abs=100.0) for candidate in search(data, lens, WIDE))


def test_nothing_outside_the_range_is_found(rings_of: Callable[..., Flattened], lens: Lens) -> None:
    data = rings_of(Optics(defocus_u=15_000.0, defocus_v=15_000.0))
    found = search(data, lens, SearchRange(15_300.0, 30_000.0, 900.0))
    assert found
    for candidate in found:
        assert 15_300.0 <= candidate.mean <= 30_000.0
        assert candidate.astigmatism <= 900.0
        assert candidate.phase_shift == 0.0


def test_a_narrow_range_is_a_range(rings_of: Callable[..., Flattened], lens: Lens) -> None:
    data = rings_of(Optics(defocus_u=15_000.0, defocus_v=15_000.0))
    assert [found.mean for found in search(data, lens, SearchRange(15_000.0, 15_020.0, 0.0))] == [15_000.0]


def test_clear_rings_leave_one_candidate_and_noise_several(rings_of: Callable[..., Flattened], lens: Lens) -> None:
    assert len(search(rings_of(Optics(), height=0.2), lens, WIDE)) == 1
    assert len(search(rings_of(Optics(), height=0.0), lens, WIDE)) == 5


def test_a_phase_shift_is_found_when_it_is_asked_for(rings_of: Callable[..., Flattened], lens: Lens) -> None:
    optics = Optics(defocus_u=12_000.0, defocus_v=12_000.0, phase_shift=85.0)
    found = search(rings_of(optics), lens, SearchRange(3000.0, 50_000.0, 600.0, phase_shift=True))
    assert any(
        candidate.phase_shift == pytest.approx(85.0, abs=30.0) and candidate.mean == pytest.approx(12_000.0, abs=400.0)
        for candidate in found
    )
