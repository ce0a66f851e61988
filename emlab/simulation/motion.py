"""How the specimen moves while it is exposed.

No part of it is a polynomial in time or place: the field moves by a fast relaxation, a drift that turns, a random
walk and perhaps a jump; within the field a dome and random waves grow with time constants of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

SAMPLES: Final = 8
"""Moments of a frame at which the motion of the whole field is known: it blurs the frame."""
_WAVES: Final = 5


@dataclass(frozen=True, kw_only=True)
class Motion:
    """How much the specimen moves; 0 throughout is a specimen at rest.

    Attributes
    ----------
    early
        Distance that the field settles by in the beginning, Å.
    early_dose
        After which 1 − 1/e of that is done, e/Å².
    drift
        Å per e/Å².
    wander
        Random walk, Å RMS per axis after 1 e/Å².
    jump
        A sudden step, Å.
    jump_dose
        When it happens, e/Å².
    local
        Displacement within the field at the end, Å RMS.
    """

    early: float = 7.0
    early_dose: float = 4.0
    drift: float = 0.06
    wander: float = 0.12
    jump: float = 0.0
    jump_dose: float = 20.0
    local: float = 1.5


@dataclass(frozen=True, kw_only=True)
class Trajectory:
    """Where each place of the specimen is in each frame, px, relative to the mean of frame 0.

    Attributes
    ----------
    path
        Of the whole field at moments within each frame: float64 (frame, moment, yx).
    waves, dome
        Of the motion within the field; see `displacement`.
    courses
        How far each wave and, last, the dome has grown in each frame: float64 (frame, wave + 1).
    shape
        Of the field, (y, x) px.
    """

    path: Array
    waves: tuple[tuple[Array, Array, float], ...]
    dome: tuple[Array, float]
    courses: Array
    shape: tuple[int, int]

    def whole(self, frame: int) -> Array:
        """Displacement of the whole field, mean over the frame: float64 (yx,)."""
        return self.path[frame].mean(axis=0)  # type: ignore[no-any-return]

    def within(self, frame: int, y: Array, x: Array) -> Array:
        """Displacement within the field of what was at ``y``, ``x`` (px) in frame 0: (yx, …)."""
        size = max(self.shape)
        place = np.stack([(y - self.shape[0] / 2) / size, (x - self.shape[1] / 2) / size])
        grown = self.courses[frame]
        moved = np.zeros_like(place)
        for (direction, wave, start), amount in zip(self.waves, grown[:-1], strict=True):
            swing = np.cos(2 * np.pi * np.tensordot(wave, place, 1) + start)
            moved += amount * direction.reshape(2, *[1] * y.ndim) * swing
        centre, width = self.dome
        lever = place - centre.reshape(2, *[1] * y.ndim)
        moved += grown[-1] * lever * np.exp(-0.5 * (lever**2).sum(axis=0) / width**2)
        return moved

    def displacement(self, frame: int, y: Array, x: Array) -> Array:
        """Displacement of what was at ``y``, ``x`` (px) in frame 0: (yx, …)."""
        return self.whole(frame).reshape(2, *[1] * y.ndim) + self.within(frame, y, x)

    def reach(self) -> float:
        """The furthest that anything moves, px."""
        y, x = np.meshgrid(*(np.linspace(0, size - 1, 9) for size in self.shape), indexing="ij")
        within = max(float(np.abs(self.within(frame, y, x)).max()) for frame in range(len(self.path)))
        return float(np.abs(self.path).max()) + 1.1 * within


def draw_trajectory(
    motion: Motion,
    frames: int,
    dose_per_frame: float,
    shape: tuple[int, int],
    pixel_size: float,
    rng: np.random.Generator,
) -> Trajectory:
    """A random trajectory of the given strength.

    Parameters
    ----------
    frames
        How many.
    dose_per_frame
        e/Å².
    shape
        (y, x) px.
    pixel_size
        Å.
    """
    dose = dose_per_frame * (np.arange(frames * SAMPLES) + 0.5) / SAMPLES
    path = _path_of_field(motion, dose, rng) / pixel_size
    path = path.reshape(frames, SAMPLES, 2)
    middle = dose.reshape(frames, SAMPLES).mean(axis=1)
    courses = np.stack([_course(middle, rng) for _ in range(_WAVES + 1)], axis=1)
    waves = tuple(_wave(rng) for _ in range(_WAVES))
    dome = (rng.uniform(-0.3, 0.3, 2), rng.uniform(0.25, 0.5))
    unscaled = Trajectory(
        path=path - path[0].mean(axis=0), waves=waves, dome=dome, courses=courses - courses[0], shape=shape
    )
    y, x = np.meshgrid(*(np.linspace(0, size - 1, 9) for size in shape), indexing="ij")
    strength = np.sqrt((unscaled.within(frames - 1, y, x) ** 2).sum(axis=0).mean())
    scale = motion.local / pixel_size / strength if strength > 0 else 0.0
    return Trajectory(path=unscaled.path, waves=waves, dome=dome, courses=unscaled.courses * scale, shape=shape)


def _path_of_field(motion: Motion, dose: Array, rng: np.random.Generator) -> Array:
    settle, heading, leap = (rng.uniform(0.0, 2 * np.pi) for _ in range(3))
    turn = heading + 0.8 * np.sin(dose / rng.uniform(8.0, 25.0))
    step = np.diff(dose, prepend=0.0)
    jumped = 0.5 * (1.0 + np.tanh((dose - motion.jump_dose) / 0.3))
    walk = rng.normal(0.0, 1.0, (len(dose), 2)) * motion.wander * np.sqrt(step)[:, None]
    drift = motion.drift * step[:, None] * np.column_stack([np.sin(turn), np.cos(turn)])
    settled = motion.early * -np.expm1(-dose / motion.early_dose)
    return (  # type: ignore[no-any-return]
        np.outer(settled, (np.sin(settle), np.cos(settle)))
        + np.outer(motion.jump * jumped, (np.sin(leap), np.cos(leap)))
        + np.cumsum(walk + drift, axis=0)
    )


def _course(dose: Array, rng: np.random.Generator) -> Array:
    grown = -np.expm1(-dose / rng.uniform(3.0, 20.0))
    return grown * (1.0 + 0.15 * np.sin(dose / rng.uniform(4.0, 12.0)))


def _wave(rng: np.random.Generator) -> tuple[Array, Array, float]:
    angle, cycles = rng.uniform(0.0, 2 * np.pi), rng.uniform(0.3, 0.9)
    wave = cycles * np.array([np.sin(angle), np.cos(angle)])
    return 0.4 * rng.normal(0.0, 1.0, 2), wave, float(rng.uniform(0.0, 2 * np.pi))
