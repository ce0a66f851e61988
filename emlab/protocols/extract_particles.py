"""Extract the particles of each micrograph."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

import numpy as np

from emlab.errors import ParameterError
from emlab.model import Array, Focused, Parameters, Particles, Picks, Workbench, parameter, protocol, shared

if TYPE_CHECKING:
    from emlab.arrays.boxes import Box

_ROOM: Final = 1.5
"""Diameters that a box is wide by default."""
_CIRCLE: Final = 1.1
"""Diameters of the circle outside which is background, by default."""


class ExtractParticles(Parameters):
    """Parameters of `extract_particles`."""

    box_size: float | None = parameter(
        None,
        gt=0,
        le=20_000,
        unit="Å",
        label="Box size",
        help="Width of a particle image, rounded up where that makes transforms faster. By default: 1.5 times the "
        "particle's diameter.",
    )
    particle_pixel_size: float | None = parameter(
        None,
        gt=0,
        le=100,
        unit="Å",
        label="Particles' pixel size",
        help="Shrink the images, in Fourier space, until a pixel has this size or slightly more: 3 to 4 Å is enough "
        "for 2D classes. By default: the micrograph's pixel size, which is also the finest.",
    )
    background_diameter: float | None = parameter(
        None,
        gt=0,
        unit="Å",
        label="Background circle",
        advanced=True,
        help="Everything outside this circle is background; it sets the level, slope and scale of each image. By "
        "default: 1.1 times the particle's diameter.",
    )
    invert_contrast: bool = parameter(
        True,
        label="Invert contrast",
        advanced=True,
        help="Make dark particles white, as most programs expect.",
    )
    flip_phases: bool = parameter(
        False,
        label="Flip phases",
        advanced=True,
        help="Undo the contrast inversions of the CTF. RELION and cryoSPARC do this later, and better.",
    )
    remove_dust: bool = parameter(
        True,
        label="Remove dust",
        advanced=True,
        help="Replace pixels beyond 5 standard deviations (X-rays, hot pixels) with noise.",
    )
    half_precision: bool = parameter(
        False,
        label="Half precision",
        advanced=True,
        help="Store 16-bit numbers (MRC mode 12): half the disk space, no visible loss. RELION 4, cryoSPARC 4.4 and "
        "later versions read these.",
    )


@protocol(title="Particle extraction", consumes=Picks, produces=Particles)
def extract_particles(picks: Picks, parameters: ExtractParticles, workbench: Workbench) -> Particles:
    """Extract the particles of each micrograph, white on black, and normalise them.

    Raises
    ------
    ParameterError
        If the box leaves no background around the particle.
    """
    # When the first micrograph comes: forms and commands, which only need the parameters, do not wait for SciPy.
    from emlab.arrays.boxes import Box, fitting

    binning = max(1.0, (parameters.particle_pixel_size or picks.pixel_size) / picks.pixel_size)
    box = Box.of(parameters.box_size or _ROOM * picks.diameter, picks.pixel_size, binning)
    pixel_size = picks.pixel_size * box.binning
    circle = parameters.background_diameter or _CIRCLE * picks.diameter
    if circle > box.size * pixel_size:
        raise ParameterError(
            f"A box of {box.size * pixel_size:.0f} Å leaves no background around a circle of {circle:.0f} Å: make "
            "box_size larger (1.5 particle diameters is usual), or background_diameter smaller."
        )
    places = workbench.read_array(picks.coordinates)
    kept = places[:0]
    stack: str | None = None
    if len(places):
        image = _image(picks, parameters, workbench)
        centred = np.column_stack([np.rint(places[:, :2]), places[:, 2]]).astype(np.float32)
        fits = fitting(centred[:, :2].astype(int), image.shape, box.cut)
        images, usable = _images(
            image, centred[fits, :2].astype(int), box, circle / picks.pixel_size, picks.key, parameters
        )
        kept = centred[fits][usable]
        if len(kept):
            stack = workbench.write_stack("particles", images[usable], pixel_size)
    return Particles(
        **shared(picks, Focused) | {"pixel_size": pixel_size},
        micrograph=picks.micrograph,
        stack=stack,
        coordinates=workbench.write_array("particles", kept),
        count=len(kept),
        left_out=len(places) - len(kept),
        box_size=box.size,
        diameter=circle,
        micrograph_pixel_size=picks.pixel_size,
        phases_flipped=parameters.flip_phases,
        warning=None if len(kept) or not len(places) else "Every particle's box extends beyond the micrograph.",
    )


def _image(picks: Picks, parameters: ExtractParticles, workbench: Workbench) -> Array:
    image = workbench.read_image(picks.micrograph)
    if not parameters.flip_phases:
        return image
    from emlab.arrays.ctf import Defocus, Lens, flip_phases

    lens = Lens.of_microscope(picks.voltage, picks.spherical_aberration, picks.amplitude_contrast)
    defocus = Defocus.from_axes(picks.defocus_u, picks.defocus_v, picks.defocus_angle, picks.phase_shift)
    return flip_phases(image, picks.pixel_size, lens, defocus)


def _images(
    image: Array, places: Array, box: Box, circle: float, key: str, parameters: ExtractParticles
) -> tuple[Array, Array]:
    """The normalised images, and which of them are any; ``circle`` in px of the micrograph."""
    from emlab.arrays.boxes import cut_out, normalise

    seed = zlib.crc32(key.encode()) if parameters.remove_dust else None
    images = cut_out(image, places, box, circle / 2, seed)
    if parameters.invert_contrast:
        np.negative(images, out=images)
    usable = normalise(images, circle / 2 / box.binning)
    return images.astype(np.float16) if parameters.half_precision else images, usable
