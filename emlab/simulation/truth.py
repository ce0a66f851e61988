"""The truth about a simulated image, for those who judge an estimate."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np

from emlab.simulation.detector import Detector
from emlab.simulation.exposure import Exposure

_GRID: Final = 9


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What a simulated image shows.

    x is the column and y the row, row 0 the first stored; pixel centres are at integers.

    Attributes
    ----------
    seed
        Of the exposure's conditions.
    frames, height, width
        px.
    pixel_size
        Å.
    voltage, spherical_aberration, amplitude_contrast
        kV, mm, fraction.
    dose_per_frame
        On the specimen, e/Å².
    defocus_u, defocus_v, defocus_angle, phase_shift
        Å, Å, degrees, degrees; underfocus positive, the angle from +x towards +y, at the middle of the field.
    tilt_angle, tilt_axis
        Degrees; the defocus grows by tan(tilt) · (y·cos(axis) − x·sin(axis)) from the middle of the field.
    ice_thickness
        Å.
    mean_electrons
        Expected per pixel and frame, behind the ice.
    flaw
        What was made worse on purpose, if anything.
    shift_y, shift_x
        Displacement of the specimen in each frame relative to frame 0, mean over the field, px: to align, move
        the frame by minus this.
    grid_y, grid_x
        Places in frame 0, px.
    local_y, local_x
        The whole displacement of what was there: frame, grid y, grid x.
    particle_y, particle_x, particle_height
        Centres in frame 0, px, and height above the middle of the specimen, Å, which adds to the defocus.
    hot_pixels, dead_pixels
        (y, x).
    """

    seed: int
    frames: int
    height: int
    width: int
    pixel_size: float
    voltage: float
    spherical_aberration: float
    amplitude_contrast: float
    dose_per_frame: float
    defocus_u: float
    defocus_v: float
    defocus_angle: float
    phase_shift: float
    tilt_angle: float
    tilt_axis: float
    ice_thickness: float
    mean_electrons: float
    flaw: str | None
    shift_y: tuple[float, ...]
    shift_x: tuple[float, ...]
    grid_y: tuple[float, ...]
    grid_x: tuple[float, ...]
    local_y: tuple[tuple[tuple[float, ...], ...], ...]
    local_x: tuple[tuple[tuple[float, ...], ...], ...]
    particle_y: tuple[float, ...]
    particle_x: tuple[float, ...]
    particle_height: tuple[float, ...]
    hot_pixels: tuple[tuple[int, int], ...] = ()
    dead_pixels: tuple[tuple[int, int], ...] = ()

    def write(self, path: Path) -> None:
        """Write as JSON."""
        path.write_text(json.dumps(asdict(self)) + "\n")


def read_truth(path: Path) -> Truth:
    """The truth that `Truth.write` wrote."""
    return Truth(**{name: _frozen(value) for name, value in json.loads(path.read_text()).items()})


def truth_of(exposure: Exposure, detector: Detector | None = None) -> Truth:
    """The truth about an exposure, and about the detector that recorded it."""
    conditions, optics, trajectory = exposure.conditions, exposure.conditions.optics, exposure.trajectory
    height, width = conditions.size
    grid_y, grid_x = (np.linspace(0.0, size - 1.0, _GRID) for size in (height, width))
    places = np.meshgrid(grid_y, grid_x, indexing="ij")
    local = np.stack([trajectory.displacement(frame, *places) for frame in range(conditions.frames)])
    # The mean over the field is that over the middles of 16 × 16 equal parts.
    middles = np.meshgrid(*((np.arange(16) + 0.5) * size / 16 - 0.5 for size in (height, width)), indexing="ij")
    mean = np.stack([trajectory.displacement(n, *middles).mean(axis=(1, 2)) for n in range(conditions.frames)])
    particles = exposure.particles().round(3)
    return Truth(
        seed=conditions.seed,
        frames=conditions.frames,
        height=height,
        width=width,
        pixel_size=conditions.pixel_size,
        voltage=optics.voltage,
        spherical_aberration=optics.spherical_aberration,
        amplitude_contrast=optics.amplitude_contrast,
        dose_per_frame=conditions.dose_per_frame,
        defocus_u=optics.defocus_u,
        defocus_v=optics.defocus_v,
        defocus_angle=optics.defocus_angle,
        phase_shift=optics.phase_shift,
        tilt_angle=optics.tilt_angle,
        tilt_axis=optics.tilt_axis,
        ice_thickness=conditions.specimen.ice_thickness,
        mean_electrons=conditions.dose_per_frame * conditions.pixel_size**2 * exposure.transmission,
        flaw=conditions.flaw,
        shift_y=_frozen(mean[:, 0].round(4).tolist()),
        shift_x=_frozen(mean[:, 1].round(4).tolist()),
        grid_y=_frozen(grid_y.tolist()),
        grid_x=_frozen(grid_x.tolist()),
        local_y=_frozen(local[:, 0].round(4).tolist()),
        local_x=_frozen(local[:, 1].round(4).tolist()),
        particle_y=_frozen(particles[:, 0].tolist()),
        particle_x=_frozen(particles[:, 1].tolist()),
        particle_height=_frozen(particles[:, 2].tolist()),
        hot_pixels=_frozen(np.argwhere(detector.hot > 0).tolist()) if detector else (),
        dead_pixels=_frozen(np.argwhere(detector.gain_reference == 0).tolist()) if detector else (),
    )


def _frozen(value):  # type: ignore[no-untyped-def]
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value
