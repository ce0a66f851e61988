"""Where arrow keys lead on a map."""

from __future__ import annotations

import numpy as np
import pytest
from emlab_widgets.figures.neighbour import neighbour

ARROWS = ("ArrowRight", "ArrowUp", "ArrowLeft", "ArrowDown")


def test_arrows_lead_where_they_point_and_no_further_than_the_edge() -> None:
    x, y = np.array([0.0, 1.0, 0.1, -1.0, 0.0, 2.0]), np.array([0.0, 0.2, 1.0, 0.0, -1.0, 0.0])
    assert [neighbour(x, y, 0, key) for key in ARROWS] == [1, 2, 3, 4]
    assert neighbour(x, y, 5, "ArrowRight") == 5
    assert [neighbour(x, y, 3, key) for key in ("Home", "End")] == [0, 5]


@pytest.mark.parametrize("turn", [0.0, 20.0, 45.0, 80.0])
def test_every_hole_of_a_turned_grid_can_be_reached(turn: float) -> None:
    generator = np.random.default_rng(round(turn))
    rows, columns = np.divmod(generator.permutation(49)[:38], 7)
    turned = (columns + 1j * rows) * np.exp(1j * np.radians(turn)) + generator.normal(0, 0.02, (38, 2)) @ [1, 1j]
    reached, to_do = {0}, [0]
    while to_do:
        place = to_do.pop()
        new = {neighbour(turned.real, turned.imag, place, key) for key in ARROWS} - reached
        reached |= new
        to_do += new
    assert len(reached) == 38
