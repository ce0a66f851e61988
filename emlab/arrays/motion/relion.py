"""Motion as RELION describes it, so that its Bayesian polishing can go on from here.

RELION's shifts are those that align: minus the displacement of the specimen.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from emlab.arrays.motion.field import MotionField

Array = NDArray[Any]

_GRID: Final = 9
_THIRD_ORDER: Final = 1
_NO_LOCAL_MODEL: Final = 0


def local_coefficients(field: MotionField) -> Array:
    """RELION's third-order model of the motion within the field: float64 (36,), px.

    Shifts that align, minus the displacement; 18 along x, then 18 along y: each of 1, x, x², y, y², xy times t, t²,
    t³, with t in frames since the first and x, y from −0.5 to 0.5. Fitted to the field by least squares.
    """
    frames = field.coefficients.shape[2]
    place = np.linspace(-0.5, 0.5, _GRID)
    y, x = (((place + 0.5) * size - 0.5) for size in field.shape)
    local = field.local_on(y, x)
    moved = np.stack([-local(frame) for frame in range(frames)])
    v, u = (grid.ravel() for grid in np.meshgrid(place, place, indexing="ij"))
    spatial = np.stack([np.ones_like(u), u, u**2, v, v**2, u * v])
    # Frames count in units of all of them while fitting: t³ of hundreds of frames loses digits.
    scale = max(frames - 1, 1)
    time = np.stack([(np.arange(frames) / scale) ** power for power in (1, 2, 3)])
    fitted = np.einsum(
        "sp,tf,fap->ast", np.linalg.pinv(spatial).T, np.linalg.pinv(time).T, moved.reshape(frames, 2, -1)
    )
    fitted /= float(scale) ** np.arange(1, 4)
    return fitted[::-1].ravel()  # type: ignore[no-any-return]


def motion_tables(
    field: MotionField, general: dict[str, Any], first_frame: int, replaced: Array
) -> dict[str, dict[str, Any]]:
    """Blocks of RELION's STAR file about a movie's motion.

    Parameters
    ----------
    field
        Of the frames that were used, px of the movie whatever the binning: RELION reads these as unbinned.
    general
        The first block, but for what follows from the motion.
    first_frame
        Counted from 1.
    replaced
        Pixels that were, as (y, x): int64 (pixel, 2).
    """
    frames = field.coefficients.shape[2]
    model = _THIRD_ORDER if field.is_local else _NO_LOCAL_MODEL
    tables: dict[str, dict[str, Any]] = {
        "general": {**general, "rlnMicrographStartFrame": first_frame, "rlnMotionModelVersion": model},
        "global_shift": {
            "rlnMicrographFrameNumber": (np.arange(frames) + first_frame).tolist(),
            "rlnMicrographShiftX": _rounded(-field.whole[:, 1]),
            "rlnMicrographShiftY": _rounded(-field.whole[:, 0]),
        },
    }
    if field.is_local:
        coefficients = local_coefficients(field)
        tables["local_motion_model"] = {
            "rlnMotionModelCoeffsIdx": list(range(len(coefficients))),
            "rlnMotionModelCoeff": coefficients.tolist(),
        }
    if len(replaced):
        tables["hot_pixels"] = {
            "rlnCoordinateX": replaced[:, 1].tolist(),
            "rlnCoordinateY": replaced[:, 0].tolist(),
        }
    return tables


def _rounded(values: Array) -> list[float]:
    # Adding 0 turns −0 into 0.
    return (np.round(values, 4) + 0.0).tolist()  # type: ignore[no-any-return]
