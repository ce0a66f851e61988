"""What the rings of each tile say about its own defocus, once a common one is taken out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from emlab.arrays.ctf.background import spline_basis
from emlab.arrays.ctf.model import Defocus, Lens, phase_delay
from emlab.arrays.ctf.tiles import Tiles

Array = NDArray[Any]

_AMPLITUDE_KNOTS: Final = np.arange(0.04, 1.0, 0.04)
"""1/Å; the rings' amplitude changes slowly."""
_FADING: Final = 0.15
"""1/Å at which rings are taken to have faded to exp(−½) where nothing is known of them yet."""


@dataclass(frozen=True)
class TileWaves:
    """The tiles' spectra multiplied with the rings of a reference and summed along each ring.

    A tile whose defocus differs by δ has the excess −a·cos(2χ + θ), and θ = 2πλs²·δ is the same all along a ring:
    so a tile's rings, whatever their astigmatism, come down to one complex number per ring.

    Attributes
    ----------
    sums
        (tile, ring) Σ excess·exp(2iχ).
    squares
        (ring,) Σ exp(4iχ).
    counts, weights
        (ring,) samples, and the weight of each.
    turns
        (ring,) θ for 1 Å, radians.
    frequency
        (ring,) 1/Å.
    """

    sums: Array
    squares: Array
    counts: Array
    weights: Array
    turns: Array
    frequency: Array

    @classmethod
    def of(cls, tiles: Tiles, lens: Lens, reference: Defocus) -> TileWaves:
        """Those of tiles, for a reference."""
        rings = tiles.rings
        angle = 2.0 * phase_delay(lens, rings.squares, rings.cosines, rings.sines, reference)
        cosine, sine = np.cos(angle), np.sin(angle)
        sums = np.empty((len(tiles.excess), rings.counts.size), np.complex64)
        for one, excess in zip(sums, tiles.excess, strict=True):
            one.real, one.imag = rings.sums(excess * cosine), rings.sums(excess * sine)
        return cls(
            sums=sums,
            squares=rings.sums(cosine**2 - sine**2) + 2j * rings.sums(cosine * sine),
            counts=rings.counts,
            weights=tiles.whole.weights,
            turns=2.0 * math.pi * lens.wavelength * rings.frequency**2,
            frequency=rings.frequency,
        )

    def likeness(self, defocus: Array) -> Array:
        """(tile, defocus) scalar product with rings that fade in a usual way, for defocus less the reference's in Å."""
        fading = self.weights * np.exp(-0.5 * (self.frequency / _FADING) ** 2)
        turned = np.exp(1j * np.outer(self.turns, defocus)).astype(np.complex64)
        likeness: Array = -((self.sums * fading.astype(np.float32)) @ turned).real
        return likeness

    def amplitude(self, offsets: Array) -> Array:
        """(ring,) height of the rings that all tiles have together, each at its own defocus: smooth, not negative."""
        turned = np.exp(1j * np.outer(offsets, self.turns))
        likeness = -(turned * self.sums).real.sum(axis=0)
        norm = 0.5 * (len(offsets) * self.counts + ((turned**2).sum(axis=0) * self.squares).real)
        basis, root = spline_basis(self.frequency, _AMPLITUDE_KNOTS), np.sqrt(self.weights * np.maximum(norm, 1.0))
        heights, _ = nnls(basis * root[:, None], self.weights * likeness / root)
        amplitude: Array = basis @ heights
        return amplitude

    def derivatives(self, offsets: Array, amplitude: Array) -> tuple[Array, Array]:
        """First derivative and curvature of each tile's logarithmic likelihood by its defocus: (tile,) each.

        They are in units of the variance of a sample, as if samples were independent.
        """
        turned = np.exp(1j * np.outer(offsets, self.turns))
        pull = (turned * self.sums).imag + 0.5 * amplitude * (turned**2 * self.squares).imag
        stiffness = 0.5 * (self.counts - (turned**2 * self.squares).real)
        weighted = self.weights * amplitude * self.turns
        return pull @ weighted, stiffness @ (weighted * amplitude * self.turns)
