"""Small copies of pictures are the pictures, without their grain."""

from __future__ import annotations

import base64
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from emlab_widgets.report.pictures import small_copy
from scipy.ndimage import gaussian_filter


@pytest.mark.parametrize("shape", [(400, 512), (400, 512, 3)])
def test_a_copy_is_the_picture_reduced_and_smoothed(tmp_path: Path, shape: tuple[int, ...]) -> None:
    random = np.random.default_rng(2)
    grey = np.clip(128 + 360 * gaussian_filter(random.normal(size=shape[:2]), 6), 0, 255)
    picture = np.broadcast_to(grey.reshape(400, 512, *[1] * (len(shape) - 2)), shape)
    (tmp_path / "picture.jpg").write_bytes(imagecodecs.jpeg8_encode(picture.astype(np.uint8), 95))
    copy = small_copy(tmp_path / "picture.jpg", 256)
    assert copy is not None
    kind, data = copy.split(",")
    assert kind == "data:image/webp;base64"
    decoded = np.asarray(imagecodecs.webp_decode(base64.b64decode(data)), float)
    halved = picture.reshape(200, 2, 256, 2, -1).mean(axis=(1, 3))
    assert decoded.shape == (200, 256, 3)
    assert np.abs(decoded - gaussian_filter(halved, (0.8, 0.8, 0))).mean() < 3


def test_there_is_none_of_a_picture_that_is_gone(tmp_path: Path) -> None:
    assert small_copy(tmp_path / "none.jpg", 256) is None
