"""Dose weighting: how much each frame says at each spatial frequency as radiation destroys the specimen."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from emlab.arrays.module import array_module
from emlab.errors import ParameterError

Array = NDArray[Any]


def critical_dose(frequency: Array, voltage: float) -> Array:
    """Exposure after which the signal has fallen to 1/e of its power's root, e/Å²: the shape of ``frequency``.

    Parameters
    ----------
    frequency
        Spatial frequency, 1/Å; 0 is never destroyed.
    voltage
        kV: the faster the electrons, the less they damage. Known at 100, 200 and 300 kV, interpolated between.

    Raises
    ------
    ParameterError
        If the voltage is not between 80 and 400 kV.

    Notes
    -----
    Grant & Grigorieff, 10.7554/eLife.06980: 0.245 k^-1.665 + 2.81 at 300 kV, and 0.8 of that at 200 kV. At 100 kV it
    is 0.64 of that.
    """
    xp = array_module(frequency)
    if not 80 <= voltage <= 400:
        raise ParameterError(f"voltage is {voltage} kV; dose weighting works from 80 to 400 kV.")
    hardness = float(np.interp(voltage, [100, 200, 300], [0.64, 0.8, 1.0]))
    with np.errstate(divide="ignore"):
        return hardness * (0.245 * xp.asarray(frequency, dtype=xp.float64) ** -1.665 + 2.81)  # type: ignore[no-any-return]


def dose_weights(
    frequency: Array, frames: int, dose_per_frame: float, voltage: float, pre_exposure: float = 0.0
) -> Array:
    """Weight of each frame at each spatial frequency: float32 (frame, …) with the shape of ``frequency``.

    The squares of the weights of all frames sum to 1, so that noise stays white.

    Parameters
    ----------
    frequency
        1/Å.
    frames
        How many.
    dose_per_frame, pre_exposure
        e/Å²; a frame is weighted by the exposure at its end.
    voltage
        kV.

    Raises
    ------
    ParameterError
        If the voltage is not between 80 and 400 kV.
    """
    xp = array_module(frequency)
    exposure = pre_exposure + dose_per_frame * (xp.arange(frames) + 1.0)
    exposure = exposure.reshape(-1, *[1] * frequency.ndim)
    decay = xp.exp(-exposure / (2.0 * critical_dose(frequency, voltage)))
    return (decay / xp.sqrt((decay**2).sum(axis=0))).astype(xp.float32)  # type: ignore[no-any-return]
