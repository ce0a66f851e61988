from __future__ import annotations

import numpy as np
import pytest

from emlab.arrays.fft import irfft2, rfft2
from emlab.simulation.lens import Lens
from emlab.simulation.optics import Optics

PHASE = rfft2(np.random.default_rng(0).standard_normal((128, 128), dtype=np.float32))


def image(layers, **setting):
    optics = Optics(**{"defocus_u": 10000.0, "defocus_v": 10000.0, **setting})
    return irfft2(Lens(optics, (128, 128), 2.0, 0.0).image(layers), 128)


def test_the_height_of_a_layer_adds_to_the_defocus():
    raised = image({250.0: PHASE})
    assert raised == pytest.approx(image({0.0: PHASE}, defocus_u=10250.0, defocus_v=10250.0), abs=0.03)
    assert raised != pytest.approx(image({0.0: PHASE}), abs=0.3)


def test_layers_add_up():
    assert image({0.0: PHASE, 100.0: PHASE}) == pytest.approx(image({0.0: PHASE}) + image({100.0: PHASE}), abs=1e-3)


def test_each_row_of_a_tilted_field_is_imaged_at_its_own_defocus():
    tilted = image({0.0: PHASE}, tilt_angle=60.0)
    for row in (20, 64, 100):
        offset = np.tan(np.radians(60.0)) * (row - 64) * 2.0
        flat = image({0.0: PHASE}, defocus_u=10000.0 + offset, defocus_v=10000.0 + offset)
        assert tilted[row] == pytest.approx(flat[row], abs=0.15)


def test_a_phase_takes_no_electrons_away():
    assert image({0.0: PHASE + 1000.0}, phase_shift=90.0).mean() == pytest.approx(0.0, abs=1e-6)


def test_ice_has_the_rings_of_a_thin_layer_when_it_is_thin():
    lens = Lens(Optics(), (128, 128), 2.0, 1e-3)
    assert np.abs(lens.image_ice(PHASE)) == pytest.approx(np.abs(lens.image({0.0: PHASE})), rel=1e-2, abs=0.5)
