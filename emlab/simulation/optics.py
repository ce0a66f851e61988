"""What the objective lens does to the wave behind the specimen.

Written for the simulator alone: it shares nothing with the CTF estimation that it puts to the test.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emlab.units import MILLIMETRE, electron_wavelength

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Optics:
    """A microscope's lens and how it is set.

    Attributes
    ----------
    voltage
        kV.
    spherical_aberration, chromatic_aberration
        mm.
    amplitude_contrast
        Fraction, 0 to 1.
    defocus_u, defocus_v
        Å, underfocus positive, ``defocus_u >= defocus_v``; at the middle of the specimen and of the field.
    defocus_angle
        Degrees from +x (columns) towards +y (rows) to the U axis.
    phase_shift
        Of a phase plate, degrees.
    tilt_angle, tilt_axis
        Degrees; the axis is measured like ``defocus_angle``.
    dome
        How much farther from focus the film is in the middle of the field than in its corners, Å.
    energy_spread
        Standard deviation of the electrons' energy and of the voltage, eV.
    convergence
        Half angle of illumination, mrad.
    vibration
        Of specimen and lens, and what a motion correction leaves of the motion: Å RMS along each axis.
    """

    voltage: float = 300.0
    spherical_aberration: float = 2.7
    chromatic_aberration: float = 2.7
    amplitude_contrast: float = 0.07
    defocus_u: float = 15000.0
    defocus_v: float = 14700.0
    defocus_angle: float = 30.0
    phase_shift: float = 0.0
    tilt_angle: float = 0.0
    tilt_axis: float = 0.0
    dome: float = 0.0
    energy_spread: float = 0.4
    convergence: float = 0.01
    vibration: float = 0.0


def frequencies(shape: tuple[int, int], pixel_size: float) -> tuple[Array, Array]:
    """Spatial frequencies of a half spectrum, 1/Å: float32 (y, 1) and (1, x // 2 + 1).

    Parameters
    ----------
    shape
        Of the image, (y, x) px.
    pixel_size
        Å.
    """
    rows = np.fft.fftfreq(shape[0], pixel_size).astype(np.float32)
    columns = np.fft.rfftfreq(shape[1], pixel_size).astype(np.float32)
    return rows[:, None], columns[None, :]


def aberration(optics: Optics, ky: Array, kx: Array) -> Array:
    """Phase that the lens adds, radians: (y, x) like ``ky`` and ``kx`` (1/Å) together.

    Notes
    -----
    χ = πλ·Δz(direction)·k² − ½π·Cs·λ³·k⁴ + phase shift, underfocus positive. The defocus along a direction is a
    quadratic form, so that no angle has to be computed: with (c, s) the unit vector of the U axis,
    Δz·k² = U·(c·kx + s·ky)² + V·(c·ky − s·kx)².
    """
    wavelength = electron_wavelength(optics.voltage)
    c, s = math.cos(math.radians(optics.defocus_angle)), math.sin(math.radians(optics.defocus_angle))
    focus = optics.defocus_u * (c * kx + s * ky) ** 2 + optics.defocus_v * (c * ky - s * kx) ** 2
    sphere = 0.5 * optics.spherical_aberration * MILLIMETRE * wavelength**2 * (ky**2 + kx**2) ** 2
    return np.pi * wavelength * (focus - sphere) + math.radians(optics.phase_shift)  # type: ignore[no-any-return]


def contrast(optics: Optics, chi: Array) -> Array:
    """Fourier transform of the relative intensity per radian of specimen phase, for aberrations ``chi`` in radians.

    Negative where it is strongest at low frequency, so that protein is dark in underfocus.
    """
    return -2.0 * np.sin(chi + math.asin(optics.amplitude_contrast))


def depth_fading(optics: Optics, thickness: float, k_squared: Array) -> Array:
    """What is left of the rings' strength where the layers of ``thickness`` Å scatter independently, −0.22 to 1.

    Notes
    -----
    The mean of cos 2χ over the depth is that of the middle times sinc(λ·t·k²): rings fade and return where top and
    bottom are out of step (Elferich 2024, 10.7554/eLife.97227).
    """
    return np.sinc(electron_wavelength(optics.voltage) * thickness * k_squared)


def ring_power(optics: Optics, chi: Array, fading: Array) -> Array:
    """Mean of `contrast`² over the depth, for ``chi`` (radians) at the middle and the `depth_fading` there."""
    return 2.0 - 2.0 * fading * np.cos(2.0 * (chi + math.asin(optics.amplitude_contrast)))


def coherence(optics: Optics, k_squared: Array) -> Array:
    """Envelope of the finite source, energy spread and vibration, 0 to 1; ``k_squared`` in 1/Å²."""
    wavelength = electron_wavelength(optics.voltage)
    spread = optics.chromatic_aberration * MILLIMETRE * optics.energy_spread / (optics.voltage * 1e3)
    temporal = 0.5 * (math.pi * wavelength * spread * k_squared) ** 2
    defocus = 0.5 * (optics.defocus_u + optics.defocus_v)
    gradient = optics.spherical_aberration * MILLIMETRE * wavelength**2 * k_squared - defocus
    spatial = (math.pi * optics.convergence * 1e-3 * gradient) ** 2 * k_squared
    return np.exp(-temporal - spatial - 2.0 * (math.pi * optics.vibration) ** 2 * k_squared)


def uneven_defocus(optics: Optics, shape: tuple[int, int], pixel_size: float) -> Array:
    """How much the defocus differs from that of the field's middle, Å: float32 (y, x)."""
    axis = math.radians(optics.tilt_axis)
    y = (np.arange(shape[0], dtype=np.float32) - shape[0] / 2)[:, None]
    x = (np.arange(shape[1], dtype=np.float32) - shape[1] / 2)[None, :]
    distance = pixel_size * (y * math.cos(axis) - x * math.sin(axis))
    away = (y**2 + x**2) / (0.25 * (shape[0] ** 2 + shape[1] ** 2))
    return math.tan(math.radians(optics.tilt_angle)) * distance - np.float32(optics.dome) * away
