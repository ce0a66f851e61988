"""The contrast transfer function of a micrograph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emlab.model.record import Record


@dataclass(frozen=True, kw_only=True)
class Ctf(Record):
    """The contrast transfer function of a micrograph.

    Attributes
    ----------
    micrograph
        The image that it was estimated from.
    defocus_u, defocus_v
        Å, underfocus positive, ``defocus_u >= defocus_v``.
    defocus_angle
        Degrees from the x axis towards the y axis of the array to the U axis, in (−90, 90].
    astigmatism
        ``defocus_u - defocus_v``, Å.
    phase_shift
        Degrees; 0 without a phase plate.
    score
        Correlation of the background-free spectrum with the fitted |CTF|, −1 to 1.
    ctf_resolution
        Å: how far out the rings agree with the fit.
    ice_density
        Power at the ice ring (0.25–0.28 1/Å) relative to its surroundings; 1 means no ring. ``None`` if the
        pixels are too coarse to show it.
    aliasing_resolution
        Å beyond which neighbouring Thon rings are finer than the spectrum's samples; ``None`` if they never are.
    thickness
        Ice thickness, Å, if the nodes of the Thon rings show it.
    defocus_error, astigmatism_error, angle_error, phase_error, thickness_error
        Standard errors (of the mean defocus, and so on), in their units; ``None`` when not estimated.
    tilt_angle
        Tilt of the specimen, degrees from 0 to below 90, if requested. Defocus is then that of the field's middle.
    tilt_axis
        Degrees from the x axis towards the y axis, in (−180, 180]; the defocus grows towards 90° more.
    tilt_angle_error, tilt_axis_error
        Their standard errors, degrees.
    local_defocus
        A STAR table, if requested: defocus on a grid of points (px), each with its standard error (Å).
    picture
        A JPEG: left half the spectrum, right half the fitted model.
    profile
        A STAR table: spatial frequency, spectrum, model and agreement along the equiphase average.
    warning
        A sentence for people when the result is doubtful.
    """

    kind: ClassVar[str] = "ctf"
    plural: ClassVar[str] = "ctfs"

    micrograph: str
    defocus_u: float
    defocus_v: float
    defocus_angle: float
    astigmatism: float
    phase_shift: float
    score: float
    ctf_resolution: float
    ice_density: float | None = None
    aliasing_resolution: float | None = None
    thickness: float | None = None
    defocus_error: float | None = None
    astigmatism_error: float | None = None
    angle_error: float | None = None
    phase_error: float | None = None
    thickness_error: float | None = None
    tilt_angle: float | None = None
    tilt_axis: float | None = None
    tilt_angle_error: float | None = None
    tilt_axis_error: float | None = None
    local_defocus: str | None = None
    picture: str | None = None
    profile: str | None = None
    warning: str | None = None
