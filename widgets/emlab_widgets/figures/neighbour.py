"""Which of some places lies in a direction: how a map is walked with arrow keys."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

_QUARTERS: Final = {"ArrowRight": 0, "ArrowUp": 1, "ArrowLeft": 2, "ArrowDown": 3}


def neighbour(x: NDArray[np.float64], y: NDArray[np.float64], place: int, key: str) -> int:
    """Give the place to which a key leads; the same where nothing lies there.

    An arrow leads to the nearest place in the quarter of the plane around its direction. Each place lies in one
    quarter of another, so that every one can be reached, however a grid is turned; this is the directed Yao graph
    (https://doi.org/10.1137/0211059).

    Parameters
    ----------
    x, y
        Of the places, shape (places,), rightwards and upwards.
    place
        Where the key was pressed.
    key
        ``ArrowRight`` …, ``Home`` or ``End``, as browsers call them.
    """
    if key in ("Home", "End"):
        return 0 if key == "Home" else x.size - 1
    across, up = x - x[place], y - y[place]
    quarters = np.floor(np.arctan2(up, across) / (np.pi / 2) + 0.5) % 4
    distances = np.where(quarters == _QUARTERS[key], np.hypot(across, up), np.inf)
    distances[place] = np.inf
    nearest = int(np.argmin(distances))
    return nearest if np.isfinite(distances[nearest]) else place
