"""What a defocus makes of a spectrum's samples, kept while one step after the other asks for it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from numpy.typing import NDArray

from emlab.arrays.ctf.model import Defocus, Lens, mean_frequency, wave
from emlab.arrays.ctf.rings import Rings

Array = NDArray[Any]


@lru_cache(maxsize=2)
def waves(rings: Rings, lens: Lens, defocus: Defocus) -> Array:
    """The Thon rings without their height, −cos 2χ: (sample,)."""
    return wave(lens, rings.squares, rings.cosines, rings.sines, defocus)


def equal_phase(rings: Rings, lens: Lens, defocus: Defocus) -> Array:
    """`mean_frequency` of each sample: (sample,), 1/Å."""
    return mean_frequency(lens, rings.squares, rings.cosines, rings.sines, defocus)
