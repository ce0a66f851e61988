"""The drawing of a movie's path is to scale and inside its frame."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from emlab_widgets.figures.path import path_drawing


def points_of(drawing: str) -> np.ndarray:
    line = ET.fromstring(drawing).find("polyline")
    return np.array([[float(number) for number in pair.split(",")] for pair in line.get("points").split()])


def test_the_path_is_to_scale_with_x_to_the_right_and_y_down() -> None:
    drawing = path_drawing(shift_y=(0.0, 1.0, 1.0), shift_x=(0.0, 0.0, 2.0), pixel_size=0.5, size=100)
    start, corner, end = points_of(drawing)
    assert corner - start == pytest.approx([0, 35], abs=0.11)
    assert end - corner == pytest.approx([70, 0], abs=0.11)
    assert "1.0 Å across" in drawing
    bar, length = re.search(r">([\d.e-]+) Å</text>", drawing), re.search(r"h([\d.]+)\"", drawing)
    assert float(length[1]) / float(bar[1]) == pytest.approx(70.0, rel=0.02)


@pytest.mark.parametrize("scale", [0.0, 1e-4, 1.0, 1e4])
def test_any_path_stays_inside(scale: float) -> None:
    shifts = np.random.default_rng(1).normal(0, scale, (2, 40))
    points = points_of(path_drawing(tuple(shifts[0]), tuple(shifts[1]), 1.0, size=96))
    assert points.min() >= 0
    assert points.max() <= 96
