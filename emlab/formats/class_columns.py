"""What 2D classification found of particles, as columns of RELION's STAR files."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Columns = dict[str, NDArray[Any]]

_LABELS: Final = {
    "rlnClassNumber": "class_number",
    "rlnAnglePsi": "angle",
    "rlnOriginXAngst": "shift_x",
    "rlnOriginYAngst": "shift_y",
    "rlnMaxValueProbDistribution": "certainty",
}


def class_columns(assignments: NDArray[Any]) -> Columns:
    """Give the columns of particles that were assigned.

    RELION moves an image by its origin and then turns it by psi, from x towards y, to bring it to its class.

    Parameters
    ----------
    assignments
        Of `emlab.model.Classes`, in the order wanted.
    """
    columns = {label: assignments[name] for label, name in _LABELS.items()}
    return {
        label: values.astype(int) if values.dtype.kind == "u" else np.round(values.astype(float), 4) + 0.0
        for label, values in columns.items()
    }


def no_class(count: int) -> Columns:
    """Give the same for ``count`` particles that no class has: class 0, as RELION has it."""
    return {label: np.zeros(count, int if label == "rlnClassNumber" else float) for label in _LABELS}
