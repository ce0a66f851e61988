from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from emlab.simulation import Conditions, Optics, Specimen, simulate_micrograph

ICE = Conditions(
    seed=1,
    size=(768, 768),
    frames=40,
    dose_per_frame=1.0,
    pixel_size=1.5,
    specimen=Specimen(particle_density=0.0, ice_thickness=200.0, carbon=1.0),
)


def ring_defocus(image, direction=None):
    """Defocus (Å) whose rings fit the spectrum best, within 20 degrees of a direction from +x to +y if one is given."""
    box = min(image.shape)
    tile = image[:box, :box] - image[:box, :box].mean()
    power = np.abs(np.fft.fft2(tile * np.hanning(box)[:, None] * np.hanning(box)[None, :])) ** 2
    y, x = np.fft.fftfreq(box)[:, None], np.fft.fftfreq(box)[None, :]
    ring = np.rint(np.hypot(y, x) * box).astype(int)
    chosen = (ring > 0.08 * box) & (ring < 0.3 * box)
    if direction is not None:
        chosen &= np.abs((np.degrees(np.arctan2(y, x)) - direction + 90.0) % 180.0 - 90.0) < 20.0
    rings = np.unique(ring[chosen])
    profile = np.array([power[chosen & (ring == number)].mean() for number in rings])
    profile /= np.convolve(np.pad(profile, 12, "edge"), np.full(25, 1 / 25), "valid")
    k = rings / (box * 1.5)
    wavelength, defocus = 0.019687, np.arange(5000.0, 30000.0, 50.0)
    chi = np.pi * wavelength * k**2 * (defocus[:, None] - 0.5 * 2.7e7 * (wavelength * k) ** 2) + np.arcsin(0.07)
    scores = [np.corrcoef(profile, rings_of_defocus)[0, 1] for rings_of_defocus in np.sin(chi) ** 2]
    assert max(scores) > 0.5
    return float(defocus[np.argmax(scores)])


def test_rings_lie_where_the_stated_defocus_puts_them():
    optics = Optics(defocus_u=15000.0, defocus_v=15000.0)
    image, truth = simulate_micrograph(replace(ICE, optics=optics))
    assert image.dtype == np.float32
    assert image.mean() == pytest.approx(truth.mean_electrons, rel=0.1)
    assert ring_defocus(image) == pytest.approx(15000.0, abs=150.0)


@pytest.mark.parametrize("angle", [0.0, 35.0, 90.0])
def test_defocus_is_largest_along_the_angle_from_the_columns_towards_the_rows(angle):
    optics = Optics(defocus_u=16500.0, defocus_v=13500.0, defocus_angle=angle)
    image, _ = simulate_micrograph(replace(ICE, optics=optics))
    assert ring_defocus(image, angle) == pytest.approx(16400.0, abs=300.0)
    assert ring_defocus(image, angle + 90.0) == pytest.approx(13600.0, abs=300.0)


def test_a_tilted_specimen_is_further_from_focus_at_high_rows():
    optics = Optics(defocus_u=15000.0, defocus_v=15000.0, tilt_angle=60.0)
    image, _ = simulate_micrograph(replace(ICE, optics=optics), noise=False)
    offset = np.tan(np.radians(60.0)) * 192 * 1.5
    assert ring_defocus(image[:384]) == pytest.approx(15000.0 - offset, abs=250.0)
    assert ring_defocus(image[384:]) == pytest.approx(15000.0 + offset, abs=250.0)


def test_without_noise_the_expectation_is_returned():
    counted, _ = simulate_micrograph(ICE)
    expected, _ = simulate_micrograph(ICE, noise=False)
    assert np.array_equal(counted, np.rint(counted))
    assert counted.std() > 1.2 * expected.std()
    assert np.corrcoef(counted.ravel(), expected.ravel())[0, 1] > 0.2
