"""The samples of a power spectrum that a fit uses, in the order of their rings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from types import ModuleType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from emlab.arrays.cuda import Cuda
from emlab.arrays.module import array_module, to_host

Array = NDArray[Any]

_CUDA: Final = Cuda(__file__)
_LANES: Final = 32
"""Threads that share a ring."""
_CROSS: Final = 2
"""Samples nearer than this many to the axes are left out: that is where a detector's rows and columns show."""
_PATCH: Final = 12
"""Samples each way; a patch is wider than the correlation between neighbouring samples."""
_PER_SAMPLE: Final = ("index", "squares", "cosines", "sines", "offset", "angle", "patches", "ring")


@dataclass(frozen=True, eq=False)
class Rings:
    """Where the samples of half a centred power spectrum lie; the other half repeats them.

    What there is of each sample may be on a card; what there is of each ring is on the host. What is made of them is
    kept too, as a session's spectra have the same.

    Attributes
    ----------
    size
        Of the spectrum, px.
    pitch
        From one sample of it to the next, 1/Å.
    index
        (sample,) place in the flattened spectrum, ring by ring from the inside.
    squares
        (sample,) squared spatial frequency, 1/Å².
    cosines, sines
        (sample,) of twice the angle from the x axis towards the y axis.
    offset
        (sample,) how far it lies from its ring's mean radius, rings.
    angle
        (sample,) from the x axis towards the y axis, radians between −π/2 and π/2.
    patches, ring
        (sample,) number of the square patch and of the ring that it lies in.
    starts, counts
        (ring,) first sample and number of samples of each ring; a ring is one sample wide.
    frequency
        (ring,) mean spatial frequency, 1/Å.
    """

    size: int
    pitch: float
    index: Array
    squares: Array
    cosines: Array
    sines: Array
    offset: Array
    angle: Array
    patches: Array
    ring: Array
    starts: Array
    counts: Array
    frequency: Array

    def sums(self, values: Array) -> Array:
        """Sum over each ring: (…, sample) → (…, ring)."""
        xp = array_module(values)
        if xp is np:
            return np.add.reduceat(values, self.starts, axis=-1, dtype=np.float64)
        samples, number = values.shape[-1], self.counts.size
        parts = xp.empty((*values.shape[:-1], number, _LANES), np.float64)
        given = xp.ascontiguousarray(values, dtype=np.float32), samples, values.size // samples * number
        _CUDA("sums", (given[2], _LANES), *given, *self.bounds, number, _LANES, parts)
        return to_host(parts.sum(axis=-1))

    def means(self, values: Array) -> Array:
        """Mean over each ring: (…, sample) → (…, ring)."""
        return self.sums(values) / self.counts

    def spread(self, values: Array) -> Array:
        """Each ring's value at each of its samples: (…, ring) → (…, sample)."""
        xp = array_module(self.ring)
        return np.repeat(values, self.counts, axis=-1) if xp is np else xp.asarray(values)[..., self.ring]

    @cached_property
    def bounds(self) -> tuple[Array, Array]:
        """`starts` and `counts` where the samples are."""
        xp = array_module(self.ring)
        return xp.asarray(self.starts), xp.asarray(self.counts)

    @cached_property
    def step(self) -> float:
        """From one ring to the next, 1/Å."""
        return float(self.frequency[-1] - self.frequency[0]) / max(self.counts.size - 1, 1)

    @cached_property
    def by_patch(self) -> tuple[Array, tuple[Array, Array]]:
        """The samples' numbers, (sample,), patch by patch, and `bounds` of each patch among them."""
        patches = to_host(self.patches)
        counts = np.bincount(patches)
        order, xp = np.argsort(patches, kind="stable"), array_module(self.patches)
        return xp.asarray(order), (xp.asarray(np.cumsum(counts) - counts), xp.asarray(counts))

    def cells(self, sectors: int) -> Array:
        """(sample,) number of the cell that it lies in: its ring's times ``sectors``, plus its sector's."""
        return _cells(self, sectors)

    def up_to(self, frequency: float) -> Rings:
        """The rings up to a spatial frequency, 1/Å."""
        return _up_to(self, frequency)


def added(cuda: Cuda, kernel: str, bounds: tuple[Array, Array], number: int, *arguments: Any) -> Array:
    """What a kernel adds up over each ring, or patch, of samples on a card: (ring, number), on the host.

    Parameters
    ----------
    bounds
        First sample and number of samples of each.
    arguments
        The kernel's first; its last are starts, counts, rings, lanes, and the lanes' parts (ring, number, lane).
    """
    starts, counts = bounds
    parts = array_module(starts).empty((starts.size, number, _LANES), np.float64)
    cuda(kernel, (starts.size, _LANES), *arguments, starts, counts, starts.size, _LANES, parts)
    return to_host(parts.sum(axis=-1))


def binned(bins: Array, values: Array, number: int) -> Array:
    """Sum of the ``values`` in each of ``number`` bins: float64 (bin,)."""
    xp = array_module(values)
    if xp is np:
        return np.bincount(bins, values, number)
    # CuPy's bincount waits for the card three times.
    sums: Array = xp.zeros(number)
    xp.add.at(sums, bins, values)
    return sums


@lru_cache(maxsize=8)
def _cells(rings: Rings, sectors: int) -> Array:
    sector = ((rings.angle * (1.0 / np.pi) + 0.5) * sectors).astype(np.int64)
    return rings.spread(np.arange(rings.counts.size) * sectors) + sector


@lru_cache(maxsize=8)
def _up_to(rings: Rings, frequency: float) -> Rings:
    number = int(np.searchsorted(rings.frequency, frequency, side="right"))
    end = int(rings.counts[:number].sum())
    parts = {name: getattr(rings, name)[:end] for name in _PER_SAMPLE}
    parts |= {name: getattr(rings, name)[:number] for name in ("starts", "counts", "frequency")}
    return replace(rings, **parts)


@lru_cache(maxsize=4)
def rings_between(size: int, pixel_size: float, lowest: float, highest: float, xp: ModuleType = np) -> Rings:
    """The rings of a centred power spectrum between two spatial frequencies; kept, as a session repeats them.

    Parameters
    ----------
    size
        Of the spectrum, px.
    pixel_size
        Of the image that it is of, Å.
    lowest, highest
        1/Å.
    xp
        Whose arrays the samples are.
    """
    if xp is not np:
        rings = rings_between(size, pixel_size, lowest, highest)
        return replace(rings, **{name: xp.asarray(getattr(rings, name)) for name in _PER_SAMPLE})
    extent = size * pixel_size
    middle = size // 2
    y, x = np.indices((size, size - middle), np.float32)
    y -= middle
    radius = np.hypot(y, x)
    inside = (radius >= lowest * extent) & (radius <= highest * extent) & (x >= _CROSS) & (np.abs(y) >= _CROSS)
    rows, columns = np.nonzero(inside)
    radius = radius[rows, columns]
    ring = np.rint(radius).astype(np.int64)
    order = np.argsort(ring, kind="stable")
    rows, columns, radius, ring = rows[order], columns[order], radius[order], ring[order]
    starts = np.flatnonzero(np.diff(ring, prepend=-1))
    counts = np.diff(starts, append=ring.size)
    mean_radius = np.add.reduceat(radius, starts) / counts
    angle = np.arctan2(y[rows, columns], x[rows, columns])
    return Rings(
        size=size,
        pitch=1.0 / extent,
        index=rows * size + columns + middle,
        squares=((radius / extent) ** 2).astype(np.float32),
        cosines=np.cos(2.0 * angle).astype(np.float32),
        sines=np.sin(2.0 * angle).astype(np.float32),
        offset=(radius - np.repeat(mean_radius, counts)).astype(np.float32),
        angle=angle,
        patches=np.unique((rows // _PATCH) * size + columns // _PATCH, return_inverse=True)[1],
        ring=np.repeat(np.arange(counts.size), counts),
        starts=starts,
        counts=counts,
        frequency=mean_radius / extent,
    )
