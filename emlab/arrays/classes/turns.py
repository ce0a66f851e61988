"""Angular spectra: rings as sums of waves around them, in which a rotation is a phase."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from emlab.arrays.module import array_module

Array = NDArray[Any]


def to_orders(samples: Array, orders: int) -> Array:
    """Angular spectrum of samples of half a turn (…, angles // 2): complex64 (…, orders), order 0 first.

    The image being real, order −n is (−1)ⁿ times the conjugate of order n, and is left out.
    """
    xp = array_module(samples)
    whole = xp.concatenate([samples, samples.conj()], axis=-1)
    if xp is not np:
        spectrum = xp.fft.fft(whole, axis=-1)
    else:
        import ducc0

        spectrum = ducc0.fft.c2c(whole, axes=(whole.ndim - 1,), nthreads=1)
    return spectrum[..., :orders] / np.float32(whole.shape[-1])  # type: ignore[no-any-return]


def from_orders(spectrum: Array, angles: int) -> Array:
    """Samples of half a turn, complex64 (…, angles // 2), of an angular spectrum (…, orders)."""
    xp = array_module(spectrum)
    orders = spectrum.shape[-1]
    signs = xp.asarray((-1.0) ** np.arange(1, orders), xp.float32)
    whole = xp.zeros((*spectrum.shape[:-1], angles), xp.complex64)
    whole[..., :orders] = spectrum
    whole[..., angles - orders + 1 :] = (signs * spectrum[..., 1:].conj())[..., ::-1]
    if xp is not np:
        samples = xp.fft.ifft(whole, axis=-1) * angles
    else:
        import ducc0

        samples = ducc0.fft.c2c(whole, axes=(whole.ndim - 1,), forward=False, nthreads=1)
    return samples[..., : angles // 2]  # type: ignore[no-any-return]


def sum_over_orders(spectrum: Array, turns: int) -> Array:
    """Σ over orders −n to n of spectrum·exp(i·order·turn) at even turns: (orders, …) → float32 (turns, …).

    ``turns`` is even and at least twice the number of orders; order −n is the conjugate of order n.
    """
    xp = array_module(spectrum)
    padded = xp.zeros((turns // 2 + 1, *spectrum.shape[1:]), xp.complex64)
    padded[: len(spectrum)] = spectrum
    if xp is not np:
        return xp.fft.irfft(padded, turns, axis=0) * turns  # type: ignore[no-any-return]
    import ducc0

    return ducc0.fft.c2r(padded, axes=(0,), lastsize=turns, forward=False, nthreads=1)  # type: ignore[no-any-return]


def sum_over_turns(weights: Array, orders: int) -> Array:
    """Σ over even turns of weights·exp(−i·order·turn): float32 (turns, …) → complex64 (orders, …)."""
    xp = array_module(weights)
    if xp is not np:
        return xp.fft.rfft(weights, axis=0)[:orders]  # type: ignore[no-any-return]
    import ducc0

    return ducc0.fft.r2c(weights, axes=(0,), nthreads=1)[:orders]  # type: ignore[no-any-return]
