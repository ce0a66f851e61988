"""What was learned as one array, so that the next batch can go on from a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emlab.arrays.classes.expectation import Sums
from emlab.arrays.classes.learn import Learned

Array = NDArray[Any]


def pack(learned: Learned) -> Array:
    """A structured array (class,): ``images`` (half, ring, order), ``transfer`` (half, ring), ``mass`` (half,)."""
    first, second = learned.halves
    classes, rings, orders = first.images.shape
    fields = [("images", "<c8", (2, rings, orders)), ("transfer", "<f4", (2, rings)), ("mass", "<f4", (2,))]
    packed = np.zeros(classes, np.dtype(fields))
    for name in ("images", "transfer", "mass"):
        packed[name] = np.stack([getattr(first, name), getattr(second, name)], axis=1)
    return packed


def unpack(packed: Array, noise: Sequence[float], batches: int) -> Learned:
    """What `pack` packed, with the noise and the number of batches, which it leaves out."""
    first, second = (Sums(packed["images"][:, half], packed["transfer"][:, half], packed["mass"][:, half])
                     for half in (0, 1))  # fmt: skip
    return Learned((first, second), np.asarray(noise, np.float32), batches)
