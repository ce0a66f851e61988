"""Estimate the contrast transfer function of each micrograph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from pydantic import ValidationInfo, field_validator

from emlab.arrays.module import array_module
from emlab.errors import DataError
from emlab.model import Array, Ctf, Micrograph, Parameters, Workbench, parameter, protocol

if TYPE_CHECKING:
    from emlab.arrays.ctf import Fit, LocalDefocus, Plane, SearchRange, Tiles

_NYQUIST_SHARE: Final = 0.95
"""Of the highest frequency that the pixels can carry: detectors fold noise into the last few per cent."""

_TILE: Final = 768.0
"""Å of the tiles that tell places apart: across one the rings of a steep specimen are not yet blurred."""
_TILTED: Final = 10.0
"""Degrees that matter."""
_VAGUE: Final = 4.0
"""Degrees of a tilt's axis that a person should hear of."""


class EstimateCtf(Parameters):
    """Parameters of `estimate_ctf`."""

    min_defocus: float = parameter(
        3000.0, gt=0, le=200_000, unit="Å", label="Smallest defocus", help="The search starts at this underfocus."
    )
    max_defocus: float = parameter(
        50_000.0, gt=0, le=200_000, unit="Å", label="Largest defocus", help="The search ends at this underfocus."
    )
    estimate_phase_shift: bool = parameter(
        False,
        label="Phase plate",
        help="Also fit the phase shift; for movies taken with a phase plate.",
    )
    estimate_tilt: bool = parameter(
        False,
        label="Tilt",
        help="Fit the specimen's tilt and its axis from the defocus of tiles; takes some seconds longer.",
    )
    local_defocus: bool = parameter(
        False,
        label="Local defocus",
        help="Write a table of the defocus at points all over the micrograph, for tilted specimens or uneven ice; "
        "takes some seconds longer.",
    )
    estimate_thickness: bool = parameter(
        True,
        label="Ice thickness",
        help="Estimate ice thickness from the nodes at which the rings of thick ice vanish and return inverted.",
    )
    min_resolution: float = parameter(
        30.0,
        ge=20,
        le=100,
        unit="Å",
        label="Coarsest resolution",
        advanced=True,
        help="The fit ignores coarser rings, which particles and uneven ice outshine.",
    )
    max_resolution: float = parameter(
        3.0,
        ge=1,
        le=10,
        unit="Å",
        label="Finest resolution",
        advanced=True,
        help="The fit extends to here, or as far as the pixel size allows.",
    )
    max_astigmatism: float = parameter(
        1500.0,
        ge=0,
        le=10_000,
        unit="Å",
        label="Largest astigmatism",
        advanced=True,
        help="The search covers astigmatism up to this value; the fit may end slightly above it.",
    )
    tile: float = parameter(
        1024.0,
        ge=256,
        le=4096,
        unit="Å",
        label="Tile",
        advanced=True,
        help="Side of the tiles whose spectra are averaged if the alignment left no spectrum; longer tiles resolve "
        "the rings of larger defocus.",
    )

    @field_validator("max_defocus")
    @classmethod
    def _above_min_defocus(cls, value: float, others: ValidationInfo) -> float:
        lowest = others.data.get("min_defocus")
        if lowest is not None and value <= lowest:
            raise ValueError(f"it must be above min_defocus, {lowest:g} Å")
        return value

    @property
    def search_range(self) -> SearchRange:
        """What of them the search needs."""
        from emlab.arrays.ctf import SearchRange

        return SearchRange(self.min_defocus, self.max_defocus, self.max_astigmatism, self.estimate_phase_shift)


@protocol(title="CTF estimation", consumes=Micrograph, produces=Ctf, accelerated=True)
def estimate_ctf(micrograph: Micrograph, parameters: EstimateCtf, workbench: Workbench) -> Ctf:
    """Fit defocus and astigmatism to the Thon rings of each micrograph.

    Raises
    ------
    DataError
        If the image is blank, too small, or its pixels are too coarse.
    """
    # When the first micrograph comes: forms and commands, which only need the parameters, do not wait for SciPy.
    from emlab.arrays.ctf import (
        Lens,
        aliasing_resolution,
        diagnostic_picture,
        doubts,
        equiphase_profile,
        estimate,
        fit_resolution,
        fit_tilted,
        flatten,
        ice_density,
        local_defocus,
        rings_between,
        score,
        standard_errors,
    )

    spectrum, pixel_size = _spectrum(micrograph, parameters, workbench)
    finest = max(parameters.max_resolution, 2.0 * pixel_size / _NYQUIST_SHARE)
    if finest > parameters.min_resolution / 2.0:
        raise DataError(
            f"Pixels of {pixel_size:g} Å cannot show anything finer than {finest:.3g} Å, and the CTF is fitted to "
            f"rings from {parameters.min_resolution:g} Å to half of that or less: check the pixel size."
        )
    band = 1.0 / parameters.min_resolution, 1.0 / finest
    rings = rings_between(spectrum.shape[0], pixel_size, *band, array_module(spectrum))
    data = flatten(spectrum, rings)
    lens = Lens.of_microscope(micrograph.voltage, micrograph.spherical_aberration, micrograph.amplitude_contrast)
    within = parameters.search_range
    fit = estimate(data, lens, within, nodes=parameters.estimate_thickness)
    plane: Plane | None = None
    local: str | None = None
    asked = parameters.estimate_tilt or parameters.local_defocus
    # A tilt that nobody knows of fades the rings just as thick ice does; only tiles tell the one from the other.
    if fit.is_significant and (asked or fit.thickness):
        tiles = _tiles(micrograph, parameters, workbench)
        middle, plane, levelled = fit_tilted(
            tiles, lens, fit, with_phase=within.phase_shift, nodes=parameters.estimate_thickness
        )
        if parameters.local_defocus:
            table = _local_table(local_defocus(tiles, lens, middle.defocus, plane), middle, micrograph)
            local = workbench.write_tables("local", {"local_defocus": table})
        if not middle.is_significant or not (plane.is_significant or asked):
            # Tiles without rings, whatever plane leads through them, tell nothing.
            plane = None
        elif plane.is_significant:
            fit, data = middle, levelled
    profile = equiphase_profile(data, lens, fit)
    resolution = fit_resolution(profile, fit)
    aliasing = aliasing_resolution(data.rings, lens, fit)
    defocus_error, astigmatism_error, angle_error, phase_error = standard_errors(fit) or (None,) * 4
    curves = {
        "frequency": np.round(profile.frequency, 6),
        "spectrum": np.round(profile.spectrum, 4),
        "model": np.round(profile.model, 4),
        "agreement": np.round(profile.agreement, 4),
    }
    return Ctf(
        key=micrograph.key,
        acquired_at=micrograph.acquired_at,
        micrograph=micrograph.path,
        defocus_u=fit.defocus.u,
        defocus_v=fit.defocus.v,
        defocus_angle=fit.defocus.angle,
        astigmatism=fit.defocus.astigmatism,
        phase_shift=fit.defocus.phase_shift % 180.0,
        score=score(data, lens, fit),
        ctf_resolution=resolution,
        ice_density=ice_density(spectrum, pixel_size),
        defocus_error=defocus_error,
        astigmatism_error=astigmatism_error,
        angle_error=angle_error,
        phase_error=phase_error,
        aliasing_resolution=aliasing,
        thickness=fit.thickness or None,
        thickness_error=fit.thickness_error or None,
        tilt_angle=plane.angle if plane else None,
        tilt_axis=plane.axis if plane else None,
        tilt_angle_error=plane.errors[0] if plane else None,
        tilt_axis_error=plane.errors[1] if plane else None,
        local_defocus=local,
        picture=workbench.write_picture("ctf", diagnostic_picture(data, lens, fit, resolution)),
        profile=workbench.write_tables("ctf", {"profile": curves}),
        warning=" ".join([*doubts(fit, within, resolution, aliasing), *_doubts_of_tilt(micrograph, plane, asked)])
        or None,
    )


def _spectrum(micrograph: Micrograph, parameters: EstimateCtf, workbench: Workbench) -> tuple[Array, float]:
    """Power spectrum, centred, and the pixel size (Å) of what it is of."""
    from emlab.arrays.ctf import tile_length, tile_spectrum

    if micrograph.power_spectrum is not None:
        spectrum = workbench.read_image(micrograph.power_spectrum)
        if spectrum.shape[0] != spectrum.shape[1]:
            raise DataError(f"{micrograph.power_spectrum} is not square: its shape is {spectrum.shape}.")
        return workbench.to_device(spectrum), micrograph.spectrum_pixel_size or micrograph.pixel_size
    image = workbench.to_device(workbench.read_image(micrograph.unweighted or micrograph.path))
    tile = tile_length(image.shape, micrograph.pixel_size, parameters.tile)
    return tile_spectrum(image, tile), micrograph.pixel_size


def _tiles(micrograph: Micrograph, parameters: EstimateCtf, workbench: Workbench) -> Tiles:
    from emlab.arrays.ctf import tile_length, tiles_of

    image = workbench.to_device(workbench.read_image(micrograph.unweighted or micrograph.path))
    pixel_size = micrograph.pixel_size
    tile = tile_length(tuple(length // 2 for length in image.shape), pixel_size, _TILE)
    finest = max(parameters.max_resolution, 2.0 * pixel_size / _NYQUIST_SHARE)
    return tiles_of(image, pixel_size, tile, 1.0 / parameters.min_resolution, 1.0 / finest)


def _local_table(local: LocalDefocus, middle: Fit, micrograph: Micrograph) -> dict[str, Array]:
    """Places in px of the image, their defocus and its standard error in Å, by RELION's names where it has them."""
    from emlab.arrays.ctf import standard_errors

    reference, (common, *_) = middle.defocus, standard_errors(middle) or (np.inf,)
    return {
        "rlnCoordinateX": np.round(micrograph.width / 2 + local.x / micrograph.pixel_size, 1),
        "rlnCoordinateY": np.round(micrograph.height / 2 + local.y / micrograph.pixel_size, 1),
        "rlnDefocusU": np.round(reference.u + local.offset, 1),
        "rlnDefocusV": np.round(reference.v + local.offset, 1),
        "rlnDefocusAngle": np.full(local.offset.size, round(reference.angle, 2)),
        "defocus_error": np.round(np.hypot(local.error, common), 1),
    }


def _doubts_of_tilt(micrograph: Micrograph, plane: Plane | None, asked: bool) -> list[str]:
    stage = abs(micrograph.stage_tilt or 0.0)
    if plane is None:
        blurred = f"The stage was tilted by {stage:.0f}°, which blurs the rings: turn on tilt estimation."
        return [blurred] if stage > _TILTED else []
    said, (angle, axis) = [], plane.errors
    if micrograph.stage_tilt is not None and abs(plane.angle - stage) > max(_TILTED, 3.0 * angle):
        said.append(f"The rings indicate a tilt of {plane.angle:.0f}°, but the stage was tilted by {stage:.0f}°.")
    if not asked:
        said.append(f"The specimen is tilted by {plane.angle:.0f}°, but tilt estimation is off: turn it on.")
    if plane.is_significant and axis > _VAGUE:
        said.append(f"The tilt is uncertain by ± {angle:.0f}°, its axis by ± {axis:.0f}°.")
    if not plane.is_significant and plane.angle + 2.0 * angle > _TILTED:
        said.append(f"The tiles are too faint to detect a tilt below {plane.angle + 2.0 * angle:.0f}°.")
    return said
