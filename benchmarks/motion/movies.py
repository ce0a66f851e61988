"""The movies that motion correction is judged by: simulated, and kept in a folder for the next time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emlab.formats.eer import write_eer
from emlab.formats.tiff import write_tiff_movie
from emlab.simulation import Conditions, Flaw, SimulatedMovie, Truth, flawed, read_truth, simulate_movie, vary
from emlab.simulation.events import raw_frames

Array = NDArray[Any]

SMALL = Conditions(seed=100)
LARGE = Conditions(seed=200, size=(4096, 4096), frames=40, pixel_size=0.85, dose_per_frame=1.2)
K3 = Conditions(seed=300, size=(4092, 5760), frames=50, pixel_size=0.83, dose_per_frame=1.0)
EER_PARTS = 6
"""Raw frames per fraction; a camera of today takes more of them with fewer electrons each."""
_ACCURACY = Conditions(seed=400)


@dataclass(frozen=True)
class Case:
    """A movie as a file, and what is done with it.

    Attributes
    ----------
    name
        Of the figures.
    conditions
        Of the simulation.
    suffix
        ``.tiff`` (LZW) or ``.eer``.
    options
        Beyond gain, pixel size, dose and voltage.
    """

    name: str
    conditions: Conditions
    suffix: str = ".tiff"
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def stem(self) -> str:
        """Of the movie's files; cases that differ in their options share them."""
        height, width = self.conditions.size
        return f"movie_{height}_{width}_{self.conditions.frames}"

    def movie(self, folder: Path) -> Path:
        """The movie, written now if it is not there."""
        path = folder / (self.stem + self.suffix)
        if not path.exists():
            made = simulate_movie(self.conditions)
            made.truth.write(path.with_suffix(".json"))
            # The rows of an EER's gain are read from the first to the last, unlike those of other TIFFs.
            gain = made.gain_reference[::-1] if self.suffix == ".eer" else made.gain_reference
            write_tiff_movie(self.gain(folder), [gain], None)
            if self.suffix == ".eer":
                raw = raw_frames(made.frames, EER_PARTS, self.conditions.rng(7))
                write_eer(path, raw, self.conditions.pixel_size)
            else:
                write_tiff_movie(path, made.frames, self.conditions.pixel_size)
        return path

    def gain(self, folder: Path) -> Path:
        """The gain reference that is written with the movie."""
        return folder / (self.stem + (".gain" if self.suffix == ".eer" else "_gain.tif"))

    def truth(self, folder: Path) -> Truth:
        """What the movie shows."""
        return read_truth((folder / self.stem).with_suffix(".json"))

    def values(self, folder: Path) -> dict[str, Any]:
        """All parameters, by name."""
        grouping = {"eer_grouping": EER_PARTS} if self.suffix == ".eer" else {}
        return {
            "pixel_size": self.conditions.pixel_size,
            "dose_per_frame": self.conditions.dose_per_frame,
            "voltage": self.conditions.optics.voltage,
            "gain_reference": str(self.gain(folder)),
            **grouping,
            **self.options,
        }


FAST = [Case("1024x24", SMALL)]
FULL = [
    *FAST,
    Case("4096x40", LARGE),
    Case("4096x40_binned", LARGE, options={"binning": 2}),
    Case("4092x5760x50", K3),
    Case("4096x12_eer", replace(LARGE, seed=500, frames=12, dose_per_frame=1.0), suffix=".eer"),
]


def accuracy_conditions() -> list[Conditions]:
    """Thirty exposures of 1024² × 24, of which every third has a flaw; the drift is of 60 px, the jump of 7."""
    every = [vary(_ACCURACY, 4 * number) for number in range(30)]
    flaws = [Flaw.DRIFT, Flaw.JUMP, Flaw.EMPTY, Flaw.CRYSTALLINE_ICE, Flaw.CARBON, Flaw.THICK_ICE, Flaw.CONTAMINATION]
    for turn, number in enumerate(range(2, 30, 3)):
        conditions = flawed(every[number], flaws[turn % len(flaws)])
        motion = conditions.motion
        if conditions.flaw is Flaw.DRIFT:
            motion = replace(motion, drift=1.9)
        elif conditions.flaw is Flaw.JUMP:
            motion = replace(motion, jump=10.5)
        every[number] = replace(conditions, motion=motion)
    return every


def accuracy_movies(folder: Path, count: int) -> Iterator[SimulatedMovie]:
    """The first ``count`` of them."""
    for number, conditions in enumerate(accuracy_conditions()[:count]):
        path = folder / f"accuracy_{number:02d}.npz"
        if not path.exists():
            movie = simulate_movie(conditions)
            movie.truth.write(path.with_suffix(".json"))
            np.savez(path, frames=movie.frames, gain=movie.gain_reference)
        with np.load(path) as stored:
            yield SimulatedMovie(stored["frames"], stored["gain"], read_truth(path.with_suffix(".json")))
