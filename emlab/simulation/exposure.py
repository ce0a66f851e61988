"""An exposure: what reaches the detector, frame by frame."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from emlab.arrays.fft import fast_length, irfft2, rfft2
from emlab.simulation.conditions import Conditions
from emlab.simulation.damage import damage
from emlab.simulation.detector import transfer
from emlab.simulation.ice import forgetting, frame_average, phase_power
from emlab.simulation.lens import Lens
from emlab.simulation.motion import SAMPLES, Trajectory, draw_trajectory
from emlab.simulation.scattering import mean_free_path
from emlab.simulation.specimen import Projection, project
from emlab.simulation.spline import displaced, response

Array = NDArray[Any]

_SPACING: Final = 16
"""Of the grid on which the motion within the field is interpolated, px."""
_EDGE: Final = 8
"""Specimen beyond what moves into the field, px: an interpolating spline is wider than a pixel."""
_FLICKER: Final = 0.01
"""Of the beam from frame to frame, RMS share."""
_FALLOFF: Final = 0.06
"""Of the beam from its middle to one field's width away, share."""


class Exposure:
    """The frames of one exposure as expected electrons per pixel, before any counting noise.

    The specimen is larger than the field by the way that it moves, so nothing wraps around. In each frame the
    particles have lost what the dose so far destroyed, and the ice what it forgot; the whole is moved exactly, in
    Fourier space and blurred by its motion within the frame, and then displaced by the motion within the field.

    Attributes
    ----------
    conditions
        What it follows from.
    trajectory
        The motion.
    projection
        The specimen, with ``margin`` (y, x) px on each side of the field.
    transmission
        Share of the electrons that passes the ice.
    """

    def __init__(self, conditions: Conditions) -> None:
        self.conditions = conditions
        size, pixel_size, optics = conditions.size, conditions.pixel_size, conditions.optics
        thickness = conditions.specimen.ice_thickness
        self.trajectory: Trajectory = draw_trajectory(
            conditions.motion, conditions.frames, conditions.dose_per_frame, size, pixel_size, conditions.rng(1)
        )
        reach = int(np.ceil(self.trajectory.reach())) + _EDGE
        self._shape = (fast_length(size[0] + 2 * reach), fast_length(size[1] + 2 * reach))
        self.margin: tuple[int, int] = ((self._shape[0] - size[0]) // 2, (self._shape[1] - size[1]) // 2)
        self.projection: Projection = project(
            conditions.specimen, self._shape, pixel_size, optics.voltage, conditions.rng(2)
        )
        self.transmission: float = float(np.exp(-thickness / mean_free_path(optics.voltage)))
        lens = Lens(optics, self._shape, pixel_size, thickness)
        self._lens = lens
        during = damage(lens.k_squared, conditions.dose_per_frame, optics.voltage)
        self._decay = np.exp(-during).astype(np.float32)
        self._protein = lens.image(self.projection.protein) * (-np.expm1(-during) / during).astype(np.float32)
        support = {0.0: rfft2(self.projection.support)} if self.projection.support.any() else {}
        self._support = lens.image(support) - rfft2(self.projection.absorption)
        fresh = forgetting(lens.k_squared, conditions.dose_per_frame)
        power = phase_power(lens.k_squared, thickness, optics.voltage) * frame_average(fresh) / pixel_size**2
        self._ice_amplitude = np.sqrt(power).astype(np.float32)
        self._ice_memory = np.exp(-fresh).astype(np.float32)
        self._detection = transfer(self._shape)
        if conditions.motion.local:
            self._detection /= response(self._shape)
        self._electrons = conditions.dose_per_frame * pixel_size**2 * self.transmission * self._illumination()

    def __iter__(self) -> Iterator[Array]:
        """Each frame: expected electrons, float32 (y, x)."""
        rng = self.conditions.rng(3)
        ice = rfft2(_white(self._shape, rng))
        renewal = np.sqrt(1.0 - self._ice_memory**2)
        protein = self._protein.copy()
        for frame in range(self.conditions.frames):
            if frame:
                protein *= self._decay
                ice *= self._ice_memory
                ice += renewal * rfft2(_white(self._shape, rng))
            image = self._lens.image_ice(ice * self._ice_amplitude)
            image += protein
            image += self._support
            image *= self._moved(frame)
            contrast = self._over_field(irfft2(image * self._detection, self._shape[1]), frame)
            flicker = 1.0 + _FLICKER * rng.standard_normal()
            yield np.maximum(1.0 + contrast, 0.05) * (self._electrons * np.float32(flicker))

    def particles(self) -> Array:
        """Centres in frame 0 of the particles in the field, y, x (px), and their heights (Å): (particle, 3)."""
        seen = self.projection.particles - (*self.margin, 0.0)
        inside = np.all((seen[:, :2] >= 0) & (seen[:, :2] <= np.array(self.conditions.size) - 1), axis=1)
        return seen[inside]

    def _illumination(self) -> Array:
        """The beam's profile, of mean 1: brightest somewhere near the middle, float32 (y, x)."""
        size, rng = self.conditions.size, self.conditions.rng(4)
        offset = rng.uniform(-0.3, 0.3, 2)
        y, x = (np.linspace(-0.5, 0.5, length) - middle for length, middle in zip(size, offset, strict=True))
        down, across = np.exp(-_FALLOFF * y**2), np.exp(-_FALLOFF * x**2)
        return np.outer(down / down.mean(), across / across.mean()).astype(np.float32)

    def _moved(self, frame: int) -> Array:
        """What moves an image by the path of the whole field during a frame: complex64 (y, x // 2 + 1)."""
        path = self.trajectory.path[frame]
        rows = np.exp(-2j * np.pi * np.outer(path[:, 0], np.fft.fftfreq(self._shape[0])))
        columns = np.exp(-2j * np.pi * np.outer(path[:, 1], np.fft.rfftfreq(self._shape[1])))
        return (rows.astype(np.complex64).T / SAMPLES) @ columns.astype(np.complex64)

    def _over_field(self, image: Array, frame: int) -> Array:
        """The field's part of an image, displaced by the motion within the field."""
        height, width = self.conditions.size
        if not self.conditions.motion.local:
            return image[self.margin[0] : self.margin[0] + height, self.margin[1] : self.margin[1] + width]
        y, x = np.meshgrid(*(np.arange(0, size + _SPACING, _SPACING) for size in (height, width)), indexing="ij")
        arrived = np.stack([y, x]) - self.trajectory.whole(frame)[:, None, None]
        within = self.trajectory.within(frame, *arrived)
        # What is seen at a place left another: the displacement is that of where it came from.
        for _ in range(3):
            within = self.trajectory.within(frame, *(arrived - within))
        return displaced(image, within.astype(np.float32), _SPACING, self.margin, self.conditions.size)  # type: ignore[no-any-return]


def _white(shape: tuple[int, int], rng: np.random.Generator) -> Array:
    """Random pixels of variance 1, float32 (y, x); uniform, for the filter that follows makes them normal."""
    return rng.integers(-128, 128, shape, dtype=np.int8) * np.float32(1.0 / 73.9)
