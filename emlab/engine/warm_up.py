"""Compiling what is compiled when it is first called, before a person's first movie has to wait for it."""

from __future__ import annotations

from typing import Any

import numpy as np

from emlab.model import Array, Movie
from emlab.protocols import PROTOCOLS

SHAPE = (6, 192, 192)


class MemoryWorkbench:
    """A workbench whose movie is made up, and whose outputs are kept in memory; see `emlab.model.Workbench`."""

    def __init__(self, frames: Array) -> None:
        self._frames = frames
        self._images: dict[str, Array] = {}

    def read_frames(self, movie: Movie) -> Array:
        """The frames."""
        return self._frames

    def read_gain(self, movie: Movie) -> Array:
        """A gain of 1."""
        return np.ones(SHAPE[1:], np.float32)

    def read_defects(self, movie: Movie) -> None:
        """Nothing is known to be bad."""

    def read_image(self, path: str) -> Array:
        """What was written."""
        return self._images[path]

    def write_image(self, suffix: str, image: Array, pixel_size: float) -> str:
        """Keep an image."""
        self._images[suffix] = image
        return suffix

    def write_picture(self, suffix: str, picture: Array, quality: int = 85) -> str:
        """Drop a picture."""
        return suffix

    def write_tables(self, suffix: str, tables: Any) -> str:
        """Drop tables."""
        return suffix

    def to_device(self, array: Array) -> Array:
        """The array."""
        return array


def warm_up() -> None:
    """Process a tiny movie of nothing: compiled code is kept on disk, and found there by later processes."""
    workbench = MemoryWorkbench(np.random.default_rng(0).poisson(2.0, SHAPE).astype(np.uint8))
    record: Any = Movie(
        key="nothing",
        path="nothing",
        frames=SHAPE[0],
        height=SHAPE[1],
        width=SHAPE[2],
        pixel_size=1.5,
        voltage=300.0,
        spherical_aberration=2.7,
        amplitude_contrast=0.07,
        dose_per_frame=1.0,
    )
    for name in ("align_movie", "estimate_ctf"):
        record = PROTOCOLS[name].function(record, PROTOCOLS[name].parameters(), workbench)


if __name__ == "__main__":
    warm_up()
