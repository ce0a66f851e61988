"""Movies that come one by one, some of which are none."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from emlab.simulation import simulate

KINDS = 12
"""Movies that are simulated; the rest are copies."""
BAD_EVERY = 40
SQUARE = 100
"""Movies of a grid square."""


@dataclass(frozen=True)
class Written:
    """A file in the watched folder; ``whole`` unless it is damaged."""

    key: str
    whole: bool


class Microscope:
    """Puts movies into a folder, one at a time.

    Parameters
    ----------
    folder
        The watched one.
    models
        Where those that are copied are simulated.
    items
        How many there will be.
    size
        Of the movies, px.
    bad
        Whether some files are empty, cut, a text or noise.
    """

    def __init__(self, folder: Path, models: Path, items: int, size: int, *, bad: bool) -> None:
        simulated = simulate(models, movies=min(KINDS, items), pace=0, size=(size, size), frames=6, seed=1)
        self._models = [movie.path.read_bytes() for movie in simulated]
        self._folder = folder
        self._items = items
        self._bad = bad
        self.gain = models / "gain.tif"
        self.written: list[Written] = []
        folder.mkdir(parents=True, exist_ok=True)

    def write(self, upto: int) -> None:
        """Write until there are so many, each whole in one moment as an EPU's copy is."""
        for number in range(len(self.written), min(upto, self._items)):
            key = f"movie_{number:05d}_Fractions"
            shelf = self._folder / f"GridSquare_{number // SQUARE:03d}"
            shelf.mkdir(exist_ok=True)
            model = self._models[number % len(self._models)]
            bad = self._bad and number % BAD_EVERY == BAD_EVERY - 1
            content = list(_damaged(model))[number // BAD_EVERY % 4] if bad else model
            partial = shelf / f".{key}"
            partial.write_bytes(content)
            shutil.move(partial, shelf / f"{key}.tiff")
            self.written.append(Written(key, whole=not bad))


def _damaged(movie: bytes) -> Iterator[bytes]:
    yield movie[: len(movie) // 2]
    yield b""
    yield b"This is not a movie.\n" * 100
    yield movie[:8] + bytes(byte ^ 0x5A for byte in movie[8:4096]) + movie[4096:]
