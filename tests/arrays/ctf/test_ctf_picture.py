from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from emlab.arrays.ctf import Defocus, Flattened, Lens, diagnostic_picture, refine
from emlab.simulation.optics import Optics, aberration

OPTICS = Optics(defocus_u=13_500.0, defocus_v=12_000.0, defocus_angle=45.0)
TRUTH = Defocus.from_axes(13_500.0, 12_000.0, 45.0)


def test_left_is_the_spectrum_and_right_its_model_of_the_other_side(
    rings_of: Callable[..., Flattened], lens: Lens
) -> None:
    data = rings_of(OPTICS, height=0.3, noise=1)
    picture = diagnostic_picture(data, lens, refine(data, lens, TRUTH), 5.0)
    assert picture.shape == (512, 512, 3)
    assert picture.dtype == np.uint8
    left, right = picture[:, :256, 0].astype(float), picture[:, 256:, 0].astype(float)
    through_the_centre = np.corrcoef(left.ravel(), right[::-1, ::-1].ravel())[0, 1]
    in_the_mirror = np.corrcoef(left.ravel(), right[:, ::-1].ravel())[0, 1]
    assert through_the_centre > 0.85
    assert in_the_mirror < 0.75


def test_rows_go_down_and_bright_is_strong(rings_of: Callable[..., Flattened], lens: Lens) -> None:
    data = rings_of(OPTICS, height=0.3, noise=None)
    picture = diagnostic_picture(data, lens, refine(data, lens, TRUTH), 5.0)[:, :, 0].astype(float)
    k = (np.arange(512) - 255.5) / 256 * data.rings.frequency[-1]
    ky, kx = k[:, None], k[None, :]
    band = (np.hypot(ky, kx) > 0.05) & (np.hypot(ky, kx) < 0.2)
    rings, flipped = (-np.cos(2.0 * aberration(OPTICS, side * ky, kx) - 0.14) for side in (1, -1))
    for half in (kx < 0, kx > 0):
        seen = band & half
        assert np.corrcoef(picture[seen], rings[seen])[0, 1] > 0.9
        assert np.corrcoef(picture[seen], flipped[seen])[0, 1] < 0.7


def test_the_rest_is_plain_and_the_fit_resolution_is_marked(rings_of: Callable[..., Flattened], lens: Lens) -> None:
    data = rings_of(OPTICS)
    picture = diagnostic_picture(data, lens, refine(data, lens, TRUTH), 6.0)
    assert np.ptp(picture[:20, :20]) == 0
    y, x = np.nonzero(np.ptp(picture, axis=2))
    radius = np.hypot(y - 255.5, x - 255.5)
    assert radius == pytest.approx(256 * data.rings.frequency[-1] ** -1 / 6.0, abs=1.0)
    assert np.unique(np.round(np.arctan2(y - 255.5, x - 255.5), 1)).size > 60


def test_faint_rings_fade_on_both_sides(rings_of: Callable[..., Flattened], lens: Lens) -> None:
    data = rings_of(OPTICS, height=0.3, reach=6.0)
    picture = diagnostic_picture(data, lens, refine(data, lens, TRUTH), 6.0)[:, :, 0].astype(float)
    y, x = np.indices((512, 512)) - 255.5
    radius = np.hypot(y, x)
    for side in (x < 0, x > 0):
        inner, outer = (picture[side & (radius > low) & (radius < low + 60)] for low in (50, 180))
        assert outer.std() < 0.5 * inner.std()
