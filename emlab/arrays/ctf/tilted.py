"""The fit of a specimen that is tilted: its plane, and the defocus in the middle of the image."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from emlab.arrays.ctf.background import Flattened
from emlab.arrays.ctf.fit import Fit, refine
from emlab.arrays.ctf.levelled import levelled
from emlab.arrays.ctf.model import Lens
from emlab.arrays.ctf.thickness import with_nodes
from emlab.arrays.ctf.tiles import Tiles
from emlab.arrays.ctf.tilt import Plane, fit_plane, search_plane

_ROUNDS: Final = 3
_COMMON: Final = 2.0
"""Error of the mean defocus over that stated by the fit, against simulated truth: what all tiles miss alike."""


def fit_tilted(
    tiles: Tiles, lens: Lens, start: Fit, *, with_phase: bool = False, nodes: bool = False
) -> tuple[Fit, Plane, Flattened]:
    """The fit, the plane relative to it, and the spectrum that the image would have without the tilt.

    Parameters
    ----------
    start
        The fit of the whole image, whose rings a tilt blurs.
    with_phase, nodes
        As in `estimate`.

    Notes
    -----
    Plane and fit wait for each other: the plane is told by how the tiles' rings lie to those of the fit, and the fit
    by the rings of all tiles, moved to where those of the plane's middle are (Elferich 2024, 10.7554/eLife.97227).
    """
    fit, plane = start, search_plane(tiles, lens, start.defocus)
    for _ in range(_ROUNDS):
        plane = fit_plane(tiles, lens, fit.defocus, plane)
        middle = replace(fit.defocus, mean=fit.defocus.mean + plane.offset)
        plane = replace(plane, offset=0.0)
        data = levelled(tiles, lens, middle, plane.at(tiles.y, tiles.x))
        fit = refine(data, lens, middle, with_phase=with_phase)
    if nodes:
        fit = with_nodes(data, lens, fit, with_phase=with_phase)
    errors = np.ones(len(fit.covariance))
    errors[0] = _COMMON
    return replace(fit, covariance=fit.covariance * np.outer(errors, errors)), plane, data
