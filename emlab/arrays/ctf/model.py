"""The contrast transfer function as the estimator uses it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from emlab.arrays.cuda import Cuda
from emlab.arrays.module import array_module
from emlab.units import MILLIMETRE, electron_wavelength

Array = NDArray[Any]

_CUDA: Final = Cuda(__file__)


@dataclass(frozen=True)
class Lens:
    """What is known of the microscope before the fit.

    Attributes
    ----------
    wavelength
        Of the electrons, Å.
    spherical_aberration
        Å.
    contrast_phase
        asin of the amplitude contrast, radians.
    """

    wavelength: float
    spherical_aberration: float
    contrast_phase: float

    @classmethod
    def of_microscope(cls, voltage: float, spherical_aberration: float, amplitude_contrast: float) -> Lens:
        """The lens of a microscope described in kV, mm and a fraction."""
        return cls(
            wavelength=electron_wavelength(voltage),
            spherical_aberration=spherical_aberration * MILLIMETRE,
            contrast_phase=math.asin(amplitude_contrast),
        )


@dataclass(frozen=True)
class Defocus:
    """What the fit is for, in coordinates without a singularity where there is no astigmatism.

    Attributes
    ----------
    mean
        (U + V) / 2, Å, underfocus positive.
    straight, diagonal
        (U − V)·cos 2θ and (U − V)·sin 2θ, Å, where θ is the angle of the U axis.
    phase_shift
        Of a phase plate, degrees.
    """

    mean: float
    straight: float = 0.0
    diagonal: float = 0.0
    phase_shift: float = 0.0

    @classmethod
    def from_axes(cls, u: float, v: float, angle: float, phase_shift: float = 0.0) -> Defocus:
        """The defocus with ``u`` and ``v``, Å, along its axes, the first at ``angle`` degrees from x towards y."""
        doubled = math.radians(2.0 * angle)
        return cls((u + v) / 2.0, (u - v) * math.cos(doubled), (u - v) * math.sin(doubled), phase_shift)

    @property
    def astigmatism(self) -> float:
        """U − V, Å; not negative."""
        return math.hypot(self.straight, self.diagonal)

    @property
    def u(self) -> float:
        """The larger defocus, Å."""
        return self.mean + self.astigmatism / 2.0

    @property
    def v(self) -> float:
        """The smaller defocus, Å."""
        return self.mean - self.astigmatism / 2.0

    @property
    def angle(self) -> float:
        """From the x axis towards the y axis of the array to the U axis, degrees in (−90, 90]."""
        angle = math.degrees(math.atan2(self.diagonal, self.straight)) / 2.0
        return 90.0 if angle <= -90.0 else angle


def phase_terms(lens: Lens, defocus: Defocus) -> tuple[float, ...]:
    """What χ is made of besides the frequency: λ, ½·Cs·λ², the constant (radians); mean, straight, diagonal."""
    constant = lens.contrast_phase + math.radians(defocus.phase_shift)
    curvature = 0.5 * lens.spherical_aberration * lens.wavelength**2
    terms = lens.wavelength, curvature, constant, defocus.mean, defocus.straight, defocus.diagonal
    return tuple(map(float, terms))


def phase_delay(lens: Lens, squares: Array, cosines: Array | float, sines: Array | float, defocus: Defocus) -> Array:
    """How far scattered waves lag behind the unscattered one, χ, radians.

    Parameters
    ----------
    squares
        Squared spatial frequencies, 1/Å², of any shape.
    cosines, sines
        Of twice the angle from the x axis towards the y axis, of the same shape; 1 and 0 along x.

    Notes
    -----
    χ = πλs²·(Δf(φ) − ½·Cs·λ²s²) + phase shift + asin(amplitude contrast), and the micrograph is multiplied by
    −sin χ: 10.1016/j.jsb.2015.08.008, equations 2 to 6.
    """
    wavelength, curvature, constant, mean, straight, diagonal = phase_terms(lens, defocus)
    local = mean + 0.5 * (straight * cosines + diagonal * sines)
    return (math.pi * wavelength) * squares * (local - curvature * squares) + constant


def transfer(lens: Lens, squares: Array, cosines: Array | float, sines: Array | float, defocus: Defocus) -> Array:
    """The contrast transfer function, −sin χ: negative at low frequencies, so protein is dark at underfocus."""
    xp = array_module(squares)
    wave: Array = xp.sin(phase_delay(lens, squares, cosines, sines, defocus))
    return -wave


def wave(lens: Lens, squares: Array, cosines: Array, sines: Array, defocus: Defocus) -> Array:
    """The Thon rings without their height, −cos 2χ: float32. Parameters as of `phase_delay`, all arrays."""
    if array_module(squares) is not np:
        return _on_card("wave", lens, squares, cosines, sines, defocus)
    angle = 2.0 * phase_delay(lens, squares, cosines, sines, defocus)
    return np.negative(np.cos(angle, out=angle), out=angle)


def mean_frequency(lens: Lens, squares: Array, cosines: Array, sines: Array, defocus: Defocus) -> Array:
    """Spatial frequency, 1/Å, at which the mean defocus delays as much as the local one does at ``squares``.

    Along lines of equal delay it is the same, whatever the astigmatism. Parameters as of `phase_delay`, all arrays.
    """
    if array_module(squares) is not np:
        return _on_card("mean_frequency", lens, squares, cosines, sines, defocus)
    _, curvature, _, mean, straight, diagonal = phase_terms(lens, defocus)
    local = mean + 0.5 * (straight * cosines + diagonal * sines)
    delay = squares * (local - curvature * squares)
    # This root of the quadratic stays finite without spherical aberration.
    root = np.sqrt(np.maximum(mean**2 - 4.0 * curvature * delay, 0.0))
    frequency: Array = np.sqrt(np.maximum(2.0 * delay / np.maximum(mean + root, 1.0), 0.0))
    return frequency


def _on_card(kernel: str, lens: Lens, squares: Array, cosines: Array, sines: Array, defocus: Defocus) -> Array:
    result: Array = array_module(squares).empty_like(squares)
    _CUDA(kernel, (squares.size,), squares, cosines, sines, squares.size, *phase_terms(lens, defocus), result)
    return result


def ring_spacing(lens: Lens, frequency: Array, mean: float) -> Array:
    """Distance between neighbouring Thon rings at each spatial frequency (1/Å) for a defocus (Å), 1/Å."""
    slope = (
        2.0
        * lens.wavelength
        * frequency
        * np.abs(mean - lens.spherical_aberration * (lens.wavelength * frequency) ** 2)
    )
    return 1.0 / np.maximum(slope, 1e-9)


def depth_fading(lens: Lens, frequency: Array, thickness: Array | float) -> Array:
    """What is left of the Thon rings in ice of a thickness (Å), −0.22 to 1, at each spatial frequency (1/Å).

    Of several thicknesses, (thickness, 1), it is (thickness, frequency).

    Notes
    -----
    sinc(λ·t·s²): the layers of the ice, each at its own defocus, scatter independently. The rings vanish at nodes
    and return inverted behind them (Elferich 2024, 10.7554/eLife.97227).
    """
    fading: Array = np.sinc(lens.wavelength * thickness * frequency**2)
    return fading
