"""Conversions at the border between emlab's units and those of files.

Inside emlab: Å, degrees, kV, mm (spherical aberration), e/Å², seconds.
"""

from __future__ import annotations

import math
from typing import Final

METRE: Final = 1e10
"""One metre in Å."""
MICROMETRE: Final = 1e4
"""One micrometre in Å."""
MILLIMETRE: Final = 1e7
"""One millimetre in Å."""
ELECTRONS_PER_SQUARE_METRE: Final = 1e-20
"""One electron per m² in e/Å²."""


def electron_wavelength(voltage: float) -> float:
    """Relativistic wavelength of electrons, Å.

    Parameters
    ----------
    voltage
        Acceleration voltage, kV.

    Notes
    -----
    λ = h / √(2·m·e·V·(1 + e·V / 2mc²)); 0.0197 Å at 300 kV.
    """
    volts = voltage * 1e3
    return 12.2642596 / math.sqrt(volts * (1.0 + 0.978475598e-6 * volts))
