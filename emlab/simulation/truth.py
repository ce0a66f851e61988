"""The truth about a simulated image, for those who judge an estimate."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from emlab.simulation.conditions import Conditions, Flaw
from emlab.simulation.detector import Detector
from emlab.simulation.exposure import Exposure
from emlab.simulation.motion import Motion
from emlab.simulation.optics import Optics
from emlab.simulation.specimen import Specimen

Array = NDArray[Any]

_GRID: Final = 9
_PARTS: Final = 16


@dataclass(frozen=True, kw_only=True, eq=False)
class Truth:
    """What a simulated image shows.

    x is the column and y the row of the frames as emlab reads them: row 0 is the first in an MRC or EER and the last in
    a TIFF. Pixel centres are at integers.

    Attributes
    ----------
    conditions
        What it follows from; the CTF is that of the middle of the specimen and of the field.
    mean_electrons
        Expected per pixel and frame, behind the ice.
    shift_y, shift_x
        Displacement of the specimen in each frame relative to frame 0, mean over the field, px: to align, move
        the frame by minus this. Float64 (frame,).
    grid_y, grid_x
        Places in frame 0, px: nine each from edge to edge, float64 (9,).
    local_y, local_x
        The whole displacement of what was there, px: float64 (frame, grid y, grid x).
    particles
        Centres in frame 0 as y, x (px), and height above the middle of the specimen (Å), which adds to the
        defocus: float64 (particle, 3).
    hot_pixels, dead_pixels
        As y, x: int (pixel, 2).
    """

    conditions: Conditions
    mean_electrons: float
    shift_y: Array
    shift_x: Array
    grid_y: Array
    grid_x: Array
    local_y: Array
    local_x: Array
    particles: Array
    hot_pixels: Array
    dead_pixels: Array

    def write(self, path: Path) -> None:
        """Write as JSON."""
        path.write_text(json.dumps(asdict(self), default=np.ndarray.tolist) + "\n")


def read_truth(path: Path) -> Truth:
    """The truth that `Truth.write` wrote."""
    written = json.loads(path.read_text())
    said = written.pop("conditions")
    parts = {"optics": Optics(**said["optics"]), "specimen": Specimen(**said["specimen"])}
    parts |= {"motion": Motion(**said["motion"]), "flaw": said["flaw"] and Flaw(said["flaw"])}
    conditions = Conditions(**said | parts | {"size": tuple(said["size"])})
    series: dict[str, Any] = {
        name: np.array(value) if isinstance(value, list) else value for name, value in written.items()
    }
    return Truth(conditions=conditions, **series)


def truth_of(exposure: Exposure, detector: Detector | None = None) -> Truth:
    """The truth about an exposure, and about the detector that recorded it."""
    conditions, trajectory = exposure.conditions, exposure.trajectory
    grid_y, grid_x = (np.linspace(0.0, size - 1.0, _GRID) for size in conditions.size)
    places = np.meshgrid(grid_y, grid_x, indexing="ij")
    middles = np.meshgrid(*((np.arange(_PARTS) + 0.5) * size / _PARTS - 0.5 for size in conditions.size), indexing="ij")
    local = np.stack([trajectory.displacement(frame, *places) for frame in range(conditions.frames)]).round(4)
    over_field = np.stack([trajectory.displacement(frame, *middles) for frame in range(conditions.frames)])
    mean = over_field.mean(axis=(2, 3)).round(4)
    nowhere = np.empty((0, 2), np.int64)
    return Truth(
        conditions=conditions,
        mean_electrons=conditions.dose_per_frame * conditions.pixel_size**2 * exposure.transmission,
        shift_y=mean[:, 0],
        shift_x=mean[:, 1],
        grid_y=grid_y,
        grid_x=grid_x,
        local_y=local[:, 0],
        local_x=local[:, 1],
        particles=exposure.particles().round(3),
        hot_pixels=np.argwhere(detector.hot > 0) if detector else nowhere,
        dead_pixels=np.argwhere(detector.gain_reference == 0) if detector else nowhere,
    )
