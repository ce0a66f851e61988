"""The microscope's constants, which each record of an image carries."""

from __future__ import annotations

from dataclasses import dataclass

from emlab.model.record import Record


@dataclass(frozen=True, kw_only=True)
class Imaged(Record):
    """A record of something imaged with a microscope.

    Attributes
    ----------
    pixel_size
        Of the record's own pixels, Å.
    voltage
        kV.
    spherical_aberration
        mm.
    amplitude_contrast
        Fraction, 0 to 1.
    grid_square, hole
        EPU's identifiers, where the names or the metadata give them.
    stage_x, stage_y, stage_tilt
        Å, Å, degrees; where the metadata gives them.
    target_defocus
        The defocus that the operator requested, Å, underfocus positive.
    """

    pixel_size: float
    voltage: float
    spherical_aberration: float
    amplitude_contrast: float
    grid_square: str | None = None
    hole: str | None = None
    stage_x: float | None = None
    stage_y: float | None = None
    stage_tilt: float | None = None
    target_defocus: float | None = None


@dataclass(frozen=True, kw_only=True)
class Focused(Imaged):
    """A record of something imaged with a known CTF.

    Attributes
    ----------
    defocus_u, defocus_v
        Å, underfocus positive, ``defocus_u >= defocus_v``.
    defocus_angle
        Degrees from the x axis towards the y axis of the array to the U axis, in (−90, 90].
    phase_shift
        Degrees.
    """

    defocus_u: float
    defocus_v: float
    defocus_angle: float
    phase_shift: float
