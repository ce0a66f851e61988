from __future__ import annotations

from pathlib import Path

import imagecodecs
import numpy as np
import pytest

from emlab.errors import DataError
from emlab.formats.jpeg import encode_jpeg, write_jpeg


@pytest.mark.parametrize("shape", [(40, 60), (40, 60, 3)])
def test_pictures_come_back(tmp_path: Path, shape: tuple[int, ...]) -> None:
    ramp = np.broadcast_to(np.linspace(0, 255, 60).astype(np.uint8).reshape(1, 60, *[1] * (len(shape) - 2)), shape)
    write_jpeg(tmp_path / "a.jpg", ramp, quality=95)
    back = imagecodecs.jpeg8_decode((tmp_path / "a.jpg").read_bytes())
    assert back.shape == shape
    assert np.abs(back.astype(int) - ramp).max() < 8


def test_quality_costs_bytes() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64)).astype(np.uint8)
    assert len(encode_jpeg(noise, 95)) > 1.5 * len(encode_jpeg(noise, 50))


@pytest.mark.parametrize("picture", [np.zeros((4, 4)), np.zeros(4, np.uint8), np.zeros((4, 4, 4), np.uint8)])
def test_other_arrays_are_refused(tmp_path: Path, picture: np.ndarray) -> None:
    with pytest.raises(DataError, match="A picture is uint8"):
        write_jpeg(tmp_path / "a.jpg", picture)
    assert not list(tmp_path.iterdir())
