"""Sessions whose items take a few milliseconds, and write real files."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np

import emlab
from emlab.formats.mrc import write_mrc
from emlab.model import (
    Accepted,
    Imaged,
    Micrograph,
    Movie,
    Parameters,
    Rejected,
    Workbench,
    parameter,
    protocol,
    shared,
)
from emlab.protocols import PROTOCOLS

SIZE = 16
"""Of the movies, px."""
LONG_AGO = 1_700_000_000.0
"""When the movies were written: they are taken at once, as those of a finished copy are."""


class Nothing(Parameters):
    """Nothing to tell."""


class Links(Parameters):
    """How a chain is made."""

    size: int = parameter(5, ge=1, help="Micrographs of a link.")


@protocol(title="Sum", consumes=Movie, produces=Micrograph)
def sum_tiny(movie: Movie, parameters: Nothing, workbench: Workbench) -> Micrograph:
    """Add the frames up."""
    image = sum(workbench.read_frames(movie, 0, movie.frames))
    return Micrograph(
        **shared(movie, Imaged),
        path=workbench.write_image("", np.asarray(image, dtype=np.float32), movie.pixel_size),
        metadata=workbench.write_tables("", {"general": {"rlnImageSizeX": movie.width}}),
        height=movie.height,
        width=movie.width,
    )


@protocol(title="Verdict", consumes=(Movie, Micrograph), produces=(Accepted, Rejected))
def judge_tiny(movie: Movie, micrograph: Micrograph, parameters: Nothing, workbench: Workbench) -> Accepted | Rejected:
    """Reject every third."""
    kind = Rejected if int(movie.key.rpartition("_")[2]) % 3 == 0 else Accepted
    return kind(key=movie.key, micrograph=micrograph.path, reason="by its number")


@protocol(title="Chain", consumes=Micrograph, produces=Accepted, share=lambda micrograph, links: 1 / links.size)
def chain_tiny(
    batch: tuple[Micrograph, ...], before: Accepted | None, parameters: Links, workbench: Workbench
) -> Accepted:
    """Remember every micrograph so far."""
    path = workbench.write_tables("", {"batch": {"rlnCount": len(batch)}})
    names = " ".join(micrograph.key for micrograph in batch)
    return Accepted(key=workbench.item, micrograph=path, reason=f"{before.reason} {names}" if before else names)


TINY = (sum_tiny, judge_tiny, chain_tiny)


class Microscope:
    """Movies of which every pixel of every frame has the number of the movie, plus its column.

    Parameters
    ----------
    folder
        The watched one.
    items
        How many there will be.
    """

    def __init__(self, folder: Path, items: int) -> None:
        folder.mkdir()
        self.folder = folder
        self.items = items
        self.keys: list[str] = []

    def write(self, movies: int) -> None:
        """Have so many more come, whole, unless all have."""
        for number in range(len(self.keys), min(len(self.keys) + movies, self.items)):
            key = f"movie_{number:06d}"
            partial = self.folder / f".{key}"
            write_mrc(partial, np.broadcast_to(_pixels(number), (2, SIZE, SIZE)), 1.0)
            os.utime(partial, (LONG_AGO, LONG_AGO))
            partial.rename(self.folder / f"{key}.mrc")
            self.keys.append(key)

    def sum_of(self, key: str) -> np.ndarray:
        """What its frames add up to."""
        return 2 * _pixels(int(key.rpartition("_")[2])).astype(np.float32)


def _pixels(number: int) -> np.ndarray:
    return np.broadcast_to(np.arange(SIZE, dtype=np.int16) + number, (SIZE, SIZE))


def create_tiny_session(path: Path, microscope: Microscope) -> None:
    """Make a session that ends when all movies have been through every step."""
    source = {
        "folder": str(microscope.folder),
        "pixel_size": 1.0,
        "voltage": 300,
        "settle_time": 0,
        "expected_count": microscope.items,
    }
    PROTOCOLS.update({tiny.name: tiny for tiny in TINY})
    steps = [{"name": tiny.name.partition("_")[0], "protocol": tiny.name} for tiny in TINY]
    steps.insert(0, {"name": "import", "protocol": "import_movies", "parameters": source})
    file = path.with_suffix(".json")
    file.write_text(json.dumps({"name": "tiny", "title": "Tiny", "protocols": steps}))
    emlab.create_session(path, file).close()
