"""How strongly matter scatters electrons.

Scattering lengths are those of independent atoms (International Tables C, 4.3.2.2), and a phase is that of the
projected potential: an atom of scattering factor f (Å) adds γ·λ·f radians times Å².
"""

from __future__ import annotations

import math
from typing import Any, Final

import gemmi
import numpy as np
from numpy.typing import NDArray

from emlab.units import electron_wavelength

Array = NDArray[Any]

ATOM_VOLUME: Final = 17.1
"""Of a protein's atom with its hydrogens, Å³."""
WATER_DENSITY: Final = 0.0314
"""Molecules of vitreous ice per Å³."""
CARBON_DENSITY: Final = 0.1
"""Atoms of amorphous carbon per Å³."""
_COMPOSITION: Final = {"C": 0.63, "N": 0.17, "O": 0.19, "S": 0.01}
_FLEXIBILITY: Final = 60.0
"""Temperature factor of the protein, Å²."""
_TABLE: Final = 4000
"""Frequencies between which the curves of large arrays are interpolated, to a relative 1e-6."""


def phase_per_length(voltage: float) -> float:
    """Phase of one Å of scattering length on one Å², radians, at ``voltage`` kV: γ·λ."""
    return (1.0 + voltage / 510.99895) * electron_wavelength(voltage)


def mean_free_path(voltage: float) -> float:
    """Å of ice that take 1 − 1/e of the electrons from an energy-filtered image, at ``voltage`` kV.

    Notes
    -----
    3950 Å at 300 kV and 3220 Å at 200 kV (Rice 2018, 10.1016/j.jsb.2018.06.007).
    """
    return 3950.0 * (voltage / 300.0) ** 0.5  # type: ignore[no-any-return]


def atom_scattering(element: str, k_squared: Array | float) -> Array:
    """Scattering factor of an element, Å, for ``k_squared`` in 1/Å²."""
    wanted = np.asarray(k_squared)
    if wanted.size > 2 * _TABLE:
        known = np.linspace(0.0, math.sqrt(wanted.max()), _TABLE) ** 2
        return np.asarray(np.interp(wanted, known, atom_scattering(element, known)), wanted.dtype)
    coefficients = gemmi.Element(element).c4322.get_coefs()
    terms = zip(coefficients[:5], coefficients[5:], strict=True)
    return np.asarray(sum(a * np.exp(-0.25 * b * wanted) for a, b in terms))


def water_scattering(k_squared: Array | float) -> Array:
    """Scattering factor of a water molecule, Å, for ``k_squared`` in 1/Å²."""
    return atom_scattering("O", k_squared) + 2.0 * atom_scattering("H", k_squared)


def average_atom(k_squared: Array | float) -> Array:
    """Scattering factor of a protein's average atom without its hydrogens, Å, for ``k_squared`` in 1/Å²."""
    return np.asarray(sum(share * atom_scattering(element, k_squared) for element, share in _COMPOSITION.items()))


def protein_scattering(k_squared: Array | float) -> Array:
    """Scattering factor of a protein's average atom with its hydrogens, less the ice it displaces, Å.

    ``k_squared`` in 1/Å². The displaced ice is a Gaussian of the atom's volume (Fraser 1978,
    10.1107/S0021889878014296).
    """
    atom = average_atom(k_squared) + atom_scattering("H", k_squared)
    ice = ATOM_VOLUME * WATER_DENSITY * water_scattering(0.0)
    displaced = ice * np.exp(-np.pi * ATOM_VOLUME ** (2 / 3) * np.asarray(k_squared))
    return np.asarray((atom - displaced) * np.exp(-0.25 * _FLEXIBILITY * np.asarray(k_squared)))
