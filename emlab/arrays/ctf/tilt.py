"""How the defocus differs from place to place: a plane through the tiles of an image."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from emlab.arrays.ctf.model import Defocus, Lens
from emlab.arrays.ctf.tiles import Tiles
from emlab.arrays.ctf.waves import TileWaves

Array = NDArray[Any]

_STEEPEST: Final = math.tan(math.radians(70.0))
"""Slope that is searched for."""
_STEP: Final = 100.0
"""Å at the farthest tile between slopes that are tried."""
_OFFSET: Final = 800.0
"""Å by which the fit of the whole image may miss the defocus of a steep specimen's middle."""
_ITERATIONS: Final = 30
_CONVERGED: Final = 0.2
"""Å at the farthest tile."""
_LONGEST: Final = 100.0
"""Å of a step at any tile: the rings' amplitude changes with the plane, so that a whole step may overshoot."""
_CHANCE: Final = 13.8
"""χ² of two slopes."""
_LEAST: Final = 500.0
"""Å of underfocus that any tile has."""
_ALIKE: Final = 2.0
"""Variance over that of independent tiles, against simulated truth: neighbours share specimen and noise."""
_SPENT: Final = 12
"""Tiles that three unknowns are worth, of tiles of which every fourth is independent of the others."""


@dataclass(frozen=True)
class Plane:
    """The defocus relative to that of a reference.

    Attributes
    ----------
    offset
        In the middle of the image, Å.
    slope_y, slope_x
        By how many Å the defocus grows per Å along y and x.
    covariance
        (3, 3) of offset, slope_y, slope_x.
    """

    offset: float
    slope_y: float
    slope_x: float
    covariance: Array

    def at(self, y: Array, x: Array) -> Array:
        """Defocus less that of the reference at places (Å from the middle), Å."""
        plane: Array = self.offset + self.slope_y * y + self.slope_x * x
        return plane

    @property
    def slope(self) -> float:
        """Å per Å along the steepest way."""
        return math.hypot(self.slope_y, self.slope_x)

    @property
    def angle(self) -> float:
        """Of the specimen's tilt, degrees from 0 to below 90."""
        return math.degrees(math.atan(self.slope))

    @property
    def axis(self) -> float:
        """Of the tilt, degrees from the x axis towards the y axis, in (−180, 180].

        The defocus grows towards 90° more: for an axis along x, at 0°, the rows with higher numbers are further
        from focus.
        """
        axis = math.degrees(math.atan2(-self.slope_x, self.slope_y))
        return 180.0 if axis <= -180.0 else axis

    @property
    def is_significant(self) -> bool:
        """Whether a level specimen would show such a slope once in a thousand times at most."""
        slopes = np.array([self.slope_y, self.slope_x])
        return float(slopes @ np.linalg.solve(self.covariance[1:, 1:], slopes)) > _CHANCE

    @property
    def errors(self) -> tuple[float, float]:
        """Standard errors of the angle and of the axis, degrees; 90° for an axis that nothing tells."""
        slopes, flat = self.covariance[1:, 1:], max(self.slope, 1e-12)
        along = np.array([self.slope_y, self.slope_x]) / flat
        across = np.array([-along[1], along[0]])
        steepness = math.sqrt(along @ slopes @ along) / (1.0 + self.slope**2)
        return math.degrees(steepness), math.degrees(math.atan2(math.sqrt(across @ slopes @ across), self.slope))


def fit_plane(tiles: Tiles, lens: Lens, reference: Defocus, start: Plane) -> Plane:
    """The plane of defocus that explains the tiles best, near ``start``, by Gauss' and Newton's steps.

    Standard errors follow from how the tiles disagree, each with a plane through the others (the jackknife, HC3 of
    MacKinnon & White, 10.1016/0304-4076(85)90158-7).
    """
    waves = TileWaves.of(tiles, lens, reference)
    design = np.column_stack([np.ones_like(tiles.y), tiles.y, tiles.x])
    reach = float(np.hypot(tiles.y, tiles.x).max())
    vector = np.array([start.offset, start.slope_y, start.slope_x])
    for _ in range(_ITERATIONS):
        pull, stiffness = waves.derivatives(design @ vector, waves.amplitude(design @ vector))
        normal = design.T @ (stiffness[:, None] * design)
        step = np.linalg.solve(normal, design.T @ pull)
        vector = vector + step * min(1.0, _LONGEST / max(float(np.abs(design @ step).max()), 1e-9))
        if np.abs(step * (1.0, reach, reach)).max() < _CONVERGED:
            break
    inverse = np.linalg.inv(normal)
    own_share = np.einsum("ti,ij,tj->t", design, inverse, design) * stiffness
    pulls = design * (pull / np.maximum(1.0 - own_share, 0.1))[:, None]
    spread = _ALIKE * len(pull) / max(len(pull) - _SPENT, 1)
    offset, slope_y, slope_x = vector.tolist()
    return Plane(offset, slope_y, slope_x, spread * inverse @ (pulls.T @ pulls) @ inverse)


def search_plane(tiles: Tiles, lens: Lens, reference: Defocus) -> Plane:
    """The plane along which the tiles are most like their rings: every slope up to 70° is tried."""
    waves = TileWaves.of(tiles, lens, reference)
    places = np.stack([tiles.y, tiles.x])
    reach = float(np.hypot(tiles.y, tiles.x).max())
    farthest = _STEEPEST * reach + _OFFSET
    defocus = np.arange(-farthest, farthest + 1.0, _STEP / 2.0)
    likeness = waves.likeness(defocus)
    likeness[:, reference.mean + defocus < _LEAST] = likeness.min()
    grid = np.arange(-_STEEPEST, _STEEPEST, _STEP / reach)
    offsets = np.arange(-_OFFSET, _OFFSET + 1.0, _STEP)
    tile = np.arange(len(likeness))[:, None]
    best = -np.inf
    for slope in ((y, x) for y in grid for x in grid if math.hypot(y, x) <= _STEEPEST):
        index = np.rint(((slope @ places)[:, None] + offsets + farthest) / (_STEP / 2.0)).astype(np.int64)
        score = likeness[tile, np.clip(index, 0, defocus.size - 1)].sum(axis=0)
        if score.max() > best:
            best, found = float(score.max()), Plane(float(offsets[int(score.argmax())]), *slope, np.eye(3))
    return found
