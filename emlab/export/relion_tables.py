"""Tables of RELION 5's STAR files; joined by ``rlnOpticsGroup``, with Å, degrees, kV and mm."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emlab.formats.star import Tables

_BEAM_SHIFT: Final = re.compile(r"FoilHole_\d+_Data_(\d+)_")
"""EPU's number of the place relative to the stage's position: one beam shift each."""

_CONSTANTS: Final = {
    "rlnMicrographOriginalPixelSize": "movie_pixel_size",
    "rlnVoltage": "voltage",
    "rlnSphericalAberration": "spherical_aberration",
    "rlnAmplitudeContrast": "amplitude_contrast",
    "rlnMicrographPixelSize": "pixel_size",
}
_MOTION: Final = {
    "rlnAccumMotionTotal": "total_motion",
    "rlnAccumMotionEarly": "early_motion",
    "rlnAccumMotionLate": "late_motion",
}
_CTF: Final = {
    "rlnDefocusU": "ctf_defocus_u",
    "rlnDefocusV": "ctf_defocus_v",
    "rlnCtfAstigmatism": "ctf_astigmatism",
    "rlnDefocusAngle": "ctf_defocus_angle",
    "rlnCtfFigureOfMerit": "ctf_score",
    "rlnCtfMaxResolution": "ctf_ctf_resolution",
    "rlnCtfIceRingDensity": "ctf_ice_density",
}


def with_optics(table: pd.DataFrame, *, beam_shift: bool) -> pd.DataFrame:
    """Give the table with each micrograph's optics group, counted from 1, as ``group`` and ``group_name``.

    Parameters
    ----------
    beam_shift
        Whether micrographs that EPU took with different beam shifts, as their names say, are in different groups.
    """
    shifts = [_beam_shift(key) if beam_shift else "" for key in table.index]
    constants = table[list(_CONSTANTS.values())].itertuples(index=False, name=None)
    keys = [(shift, *values) for shift, values in zip(shifts, constants, strict=True)]
    numbers = {key: number for number, key in enumerate(sorted(set(keys)), 1)}
    are_told = len({shift for shift, *_ in numbers}) == len(numbers)
    names = {key: f"beamShift{key[0]}" if key[0] and are_told else f"opticsGroup{numbers[key]}" for key in numbers}
    return table.assign(group=[numbers[key] for key in keys], group_name=[names[key] for key in keys])


def corrected_tables(table: pd.DataFrame) -> Tables:
    """Tables of ``corrected_micrographs.star``.

    Parameters
    ----------
    table
        Of `with_optics`, with the names of files as ``name``, ``name_unweighted``, ``name_metadata`` and
        ``name_spectrum``. Columns that are not known for every micrograph are left out, as RELION expects it.
    """
    columns = {
        "rlnCtfPowerSpectrum": "name_spectrum",
        "rlnMicrographName": "name",
        "rlnMicrographNameNoDW": "name_unweighted",
        "rlnMicrographMetadata": "name_metadata",
        "rlnOpticsGroup": "group",
        **_MOTION,
    }
    return {"optics": _optics(table), "micrographs": _known(table, columns)}


def ctf_tables(table: pd.DataFrame) -> Tables:
    """Tables of ``micrographs_ctf.star``: as `corrected_tables`, with the picture of the fit as ``name_fit``.

    The figure of merit and the ice ring are as emlab defines them: correlation of spectrum and fit, and power at
    0.25–0.28 1/Å over its surroundings, where 1 is no ring.
    """
    columns = {"rlnMicrographName": "name", "rlnOpticsGroup": "group", "rlnCtfImage": "name_fit", **_CTF}
    if table["ctf_phase_shift"].any():
        columns["rlnPhaseShift"] = "ctf_phase_shift"
    return {"optics": _optics(table), "micrographs": _known(table, columns)}


def particle_optics(table: pd.DataFrame) -> dict[str, Any]:
    """Give the optics of ``particles.star``: the table as `with_optics` gives it, with the particles' own columns.

    These are ``box_size`` (px) and ``pixel_size`` (Å), which are the same for a group.
    """
    constants = {label: column for label, column in _CONSTANTS.items() if column != "pixel_size"}
    groups = table.sort_values("group", kind="stable").drop_duplicates("group")
    sizes = {"rlnImagePixelSize": "pixel_size", "rlnImageSize": "box_size"}
    optics = _known(groups, {"rlnOpticsGroupName": "group_name", "rlnOpticsGroup": "group", **constants, **sizes})
    return {**optics, "rlnImageDimensionality": [2] * len(groups), "rlnCtfDataAreCtfPremultiplied": [0] * len(groups)}


def _optics(table: pd.DataFrame) -> dict[str, Any]:
    groups = table.sort_values("group", kind="stable").drop_duplicates("group")
    return _known(groups, {"rlnOpticsGroupName": "group_name", "rlnOpticsGroup": "group", **_CONSTANTS})


def _known(table: pd.DataFrame, columns: Mapping[str, str]) -> dict[str, Sequence[Any] | NDArray[Any]]:
    known = {label: column for label, column in columns.items() if column in table and table[column].notna().all()}
    return {label: _values(table[column]) for label, column in known.items()}


def _values(column: pd.Series[Any]) -> Sequence[Any] | NDArray[Any]:
    values = column.to_numpy()
    # Adding 0 turns −0 into 0.
    return np.round(values, 6) + 0.0 if values.dtype.kind == "f" else values.tolist()


def _beam_shift(key: Any) -> str:
    found = _BEAM_SHIFT.search(str(key))
    return found[1] if found else ""
