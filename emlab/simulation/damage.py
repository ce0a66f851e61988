"""What the beam destroys."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def damage(k_squared: Array, dose: float, voltage: float) -> Array:
    """Exponent x of what ``dose`` (e/Å²) leaves of a protein's Fourier amplitude, exp(−x): like ``k_squared`` (1/Å²).

    Notes
    -----
    x = dose / 2Nc(k), with the critical doses Nc of Grant & Grigorieff 2015 (10.7554/eLife.06980), which are for
    300 kV and shrink with the voltage (kV).
    """
    k = np.sqrt(np.maximum(k_squared, 1e-8))
    critical = (0.245 * k**-1.665 + 2.81) * np.interp(voltage, (100.0, 200.0, 300.0), (0.64, 0.8, 1.0))
    return dose / (2.0 * critical)
