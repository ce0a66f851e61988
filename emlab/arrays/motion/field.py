"""How the specimen moved: everywhere in the field, in each frame."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from emlab.arrays.cuda import Cuda

Array = NDArray[Any]

_CUDA: Final = Cuda(__file__)
DEGREE: Final = 5
"""The highest."""
POWERS: Final = tuple((total - x, x) for total in range(DEGREE + 1) for x in range(total + 1))
"""Degree along y and along x of each term, the lowest first."""
_RELION_GRID: Final = 9


@dataclass(frozen=True)
class MotionField:
    """Displacement of the specimen relative to the first frame; aligning moves what is there by minus this.

    Attributes
    ----------
    coefficients
        Of products of Legendre polynomials of the place in the field, in the order of `POWERS`: float64
        (yx, term, frame), px. The first term is the mean over the field.
    shape
        Of the frames, (y, x).
    """

    coefficients: Array
    shape: tuple[int, int]

    @property
    def whole(self) -> Array:
        """Displacement of the whole field: float64 (frame, yx), px."""
        return self.coefficients[:, 0].T

    @property
    def is_local(self) -> bool:
        """Whether places move differently."""
        return bool(np.any(self.coefficients[:, 1:]))

    def local(self, frame: int, y: Array, x: Array) -> Array:
        """Displacement within the field on a grid of places ``y`` × ``x`` (px): float64 (yx, y, x)."""
        return self.local_on(y, x)(frame)

    def local_on(self, y: Array, x: Array, xp: ModuleType = np) -> Callable[[int], Array]:
        """What gives `local` on one grid for one frame after the other, as an array of ``xp``."""
        terms = self.coefficients.shape[1]
        height, width = self.shape
        along_y, along_x = legendre((2 * y + 1) / height - 1), legendre((2 * x + 1) / width - 1)
        tables = np.zeros((self.coefficients.shape[2], 2, DEGREE + 1, DEGREE + 1))
        for term in range(1, terms):
            tables[:, :, POWERS[term][0], POWERS[term][1]] = self.coefficients[:, term].T
        if xp is np:
            return lambda frame: along_y @ tables[frame] @ along_x.T
        along_y, along_x, tables = (xp.ascontiguousarray(xp.asarray(one)) for one in (along_y, along_x, tables))
        given = along_y, y.size, along_x, x.size, tables, DEGREE + 1

        def on_card(frame: int) -> Array:
            local = xp.empty((2, y.size, x.size))
            _CUDA("displace", (2 * y.size, x.size), *given, frame, local)
            return local  # type: ignore[no-any-return]

        return on_card

    def largest_local(self) -> float:
        """The largest displacement within the field along an axis, px."""
        y, x = (np.linspace(0, size - 1, _RELION_GRID) for size in self.shape)
        local = self.local_on(y, x)
        return max(float(np.abs(local(frame)).max()) for frame in range(self.coefficients.shape[2]))


def legendre(place: Array) -> Array:
    """The Legendre polynomials up to `DEGREE`: float64 (place, degree)."""
    return np.polynomial.legendre.legvander(place, DEGREE)


def terms_at(places: Array, count: int) -> Array:
    """The first ``count`` terms at places (place, yx) from −1 to 1: float64 (place, term)."""
    along_y, along_x = legendre(places[:, 0]), legendre(places[:, 1])
    return np.stack([along_y[:, i] * along_x[:, j] for i, j in POWERS[:count]], axis=1)
