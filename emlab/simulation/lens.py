"""A lens at work: from the phase of a specimen to the contrast of its image."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from emlab.arrays.fft import irfft2, rfft2
from emlab.simulation.optics import (
    Optics,
    aberration,
    coherence,
    contrast,
    depth_fading,
    frequencies,
    ring_power,
    uneven_defocus,
)
from emlab.units import electron_wavelength

Array = NDArray[Any]

_LEVEL: Final = 120.0
"""Å: the interpolation then costs 3 % of the contrast at 4 Å."""


class Lens:
    """Images half spectra of phase (radians, complex64) of one shape into half spectra of relative intensity.

    A tilted or domed field is imaged at levels of defocus 120 Å apart, and each pixel is interpolated between its two.

    Parameters
    ----------
    shape
        (y, x) px.
    pixel_size
        Å.
    thickness
        Of the ice, Å.
    """

    def __init__(self, optics: Optics, shape: tuple[int, int], pixel_size: float, thickness: float) -> None:
        ky, kx = frequencies(shape, pixel_size)
        self.k_squared: Array = ky**2 + kx**2
        self._optics = optics
        self._shape = shape
        self._aberration: Array = aberration(optics, ky, kx).astype(np.float32)
        self._path: Array = (np.pi * electron_wavelength(optics.voltage) * self.k_squared).astype(np.float32)
        self._coherence: Array = coherence(optics, self.k_squared).astype(np.float32)
        # A phase as such takes no electron away, whatever the formula says of the mean.
        self._coherence[0, 0] = 0.0
        self._fading: Array = depth_fading(optics, thickness, self.k_squared).astype(np.float32)
        self._defocus = uneven_defocus(optics, shape, pixel_size) if optics.tilt_angle or optics.dome else None
        self._ice_transfer = self._ice_transfer_at(0.0)

    def image(self, layers: Mapping[float, Array]) -> Array:
        """The image of layers, height (Å), which adds to the defocus → phase."""
        nothing = np.zeros(self.k_squared.shape, np.complex64)
        if not layers:
            return nothing

        def at(defocus: float) -> Array:
            images = (
                phase * contrast(self._optics, self._aberration + self._path * np.float32(height + defocus))
                for height, phase in layers.items()
            )
            return sum(images, nothing) * self._coherence

        return self._over_field(at)

    def image_ice(self, phase: Array) -> Array:
        """The image of the ice, whose molecules scatter independently at each depth."""
        if self._defocus is None:
            return phase * self._ice_transfer
        return self._over_field(lambda defocus: phase * self._ice_transfer_at(defocus))

    def _ice_transfer_at(self, defocus: float) -> Array:
        chi = self._aberration + self._path * np.float32(defocus)
        power = ring_power(self._optics, chi, self._fading)
        return (np.sqrt(np.maximum(power, 0.0)) * self._coherence).astype(np.float32)

    def _over_field(self, at: Callable[[float], Array]) -> Array:
        if self._defocus is None:
            return at(0.0)
        level = self._defocus / _LEVEL
        picture = np.zeros(self._shape, np.float32)
        for number in range(int(np.floor(level.min())), int(np.ceil(level.max())) + 1):
            weight = np.clip(1.0 - np.abs(level - number), 0.0, None)
            picture += weight * irfft2(at(number * _LEVEL), self._shape[1])
        return rfft2(picture)
