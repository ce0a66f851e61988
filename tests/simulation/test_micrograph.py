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


def ring_defocus(image, direction=None, width=20.0):
    """Defocus (Å) whose rings fit the spectrum best, within ``width`` degrees of a direction from +x to +y."""
    box = min(image.shape)
    window = np.hanning(box)[:, None] * np.hanning(box)[None, :]
    tile = image[:box, :box]
    power = np.abs(np.fft.fft2((tile - tile.mean()) * window)) ** 2
    y, x = np.fft.fftfreq(box)[:, None] / 1.5, np.fft.fftfreq(box)[None, :] / 1.5
    k, angle = np.hypot(y, x), np.degrees(np.arctan2(y, x))
    band = (k > 0.05) & (k < 0.2)
    if direction is not None:
        away = np.abs((angle - direction + 90.0) % 180.0 - 90.0)
        band &= away < width
    ring = np.rint(k[band] * box * 1.5).astype(int)
    flat = (
        power[band]
        / np.maximum(
            np.convolve(np.bincount(ring, power[band]) / np.maximum(np.bincount(ring), 1), np.ones(25) / 25, "same"),
            1e-9,
        )[ring]
    )
    profile = np.bincount(ring, flat) / np.maximum(np.bincount(ring), 1)
    k1 = np.arange(len(profile)) / (box * 1.5)
    used = np.bincount(ring) > 0
    defocus = np.arange(5000.0, 30000.0, 50.0)[:, None]
    wavelength = 0.019687
    chi = np.pi * wavelength * k1**2 * (defocus - 0.5 * 2.7e7 * wavelength**2 * k1**2) + np.arcsin(0.07)
    model = -np.cos(2 * chi)
    scores = [np.corrcoef(profile[used], row[used])[0, 1] for row in model]
    assert max(scores) > 0.5
    return float(defocus[int(np.argmax(scores)), 0])


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
