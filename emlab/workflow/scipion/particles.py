"""Scipion's picking, extraction and 2D classification in emlab's terms.

Scipion's programs count boxes in pixels; emlab has lengths in Å, which hold whatever the binning. Where the file leaves
the pixel size or the box to a person, the length cannot be told, and is asked for or left to emlab.
"""

from __future__ import annotations

from typing import Any, Final

from emlab.workflow.scipion.reading import Reading
from emlab.workflow.scipion.translation import Translation


def _picked_by_box(reading: Reading, pixel_size: Any) -> None:
    """Of programs that are told how wide a box around a particle is."""
    if (diameter := _length(reading, "boxSize", pixel_size)) is not None:
        reading.parameters["diameter"] = diameter
        reading.notes.append(f"its box size is used as the particle diameter, {diameter:g} Å")
    else:
        reading.notes.append("the particle diameter, in Å, is asked for, because the file does not determine it")


def _picked_by_diameter(reading: Reading, _pixel_size: Any) -> None:
    reading.carry("particleDiameter", "diameter", none=0)
    reading.carry("maxDiameter", "diameter", none=0)
    if "maxDiameter" in reading:
        reading.get("minDiameter")
    if (reading.literal("interParticleDistance") or 0) > 0:
        reading.carry("interParticleDistance", "min_distance")
    else:
        reading.get("interParticleDistance")


def _extracted(reading: Reading, pixel_size: Any) -> None:
    box = _length(reading, "boxSize", pixel_size)
    if box is not None:
        reading.parameters["box_size"] = box
    elif reading.get("boxSize"):
        reading.notes.append(
            "its box is in pixels, but the pixel size is not in the file: emlab uses its default, 1.5 diameters"
        )
    shrinks = bool(reading.get("doRescale"))
    pixels, rescaled = reading.literal("boxSize"), reading.literal("rescaledSize")
    if shrinks and pixels and rescaled and isinstance(pixel_size, int | float):
        reading.parameters["particle_pixel_size"] = round(pixel_size * pixels / rescaled, 4)
    reading.carry_switch("doInvert", to="invert_contrast")
    reading.carry_switch("doFlip", to="flip_phases")
    reading.carry_switch("doRemoveDust", to="remove_dust")
    for name in ("doNormalize", "normType", "doBorders", "downsampleType"):  # as emlab does it
        reading.get(name)
    for name in ("backRadius", "backDiameter", "stddevWhiteDust", "stddevBlackDust"):
        if (reading.literal(name) or 0) <= 0:  # none is given
            reading.get(name)
    if reading.literal("downFactor") == 1:
        reading.get("downFactor")


def _classified(reading: Reading, _pixel_size: Any) -> None:
    classes = reading.literal("numberOfClasses")
    if classes:
        reading.parameters["classes"] = int(classes)
    else:
        reading.carry("numberOfClasses", "classes")
    reading.carry("maskDiameterA", "mask_diameter", none=-1)
    for name in ("isClassify", "is2D", "doCTF", "doImageAlignment"):
        reading.get(name)


def _length(reading: Reading, name: str, pixel_size: Any) -> float | None:
    """A number of pixels in Å; ``None`` where one of the two is not in the file."""
    pixels = reading.literal(name)
    return round(pixels * pixel_size, 2) if pixels and isinstance(pixel_size, int | float) else None


_BY_BOX: Final = Translation("pick_particles", "pick", _picked_by_box)
_BY_DIAMETER: Final = Translation("pick_particles", "pick", _picked_by_diameter)
_EXTRACTION: Final = Translation("extract_particles", "extract", _extracted)

PARTICLES: Final[dict[str, Translation]] = {
    "SphireProtCRYOLOPicking": _BY_BOX,
    "SparxGaussianProtPicking": _BY_BOX,
    "XmippParticlePickingAutomatic": _BY_BOX,
    "ProtRelion2Autopick": _BY_DIAMETER,
    "ProtRelionAutopickLoG": _BY_DIAMETER,
    "XmippProtExtractParticles": _EXTRACTION,
    "ProtRelionExtractParticles": _EXTRACTION,
    "ProtRelionClassify2D": Translation("classify_particles", "classify", _classified),
}
"""By the name of Scipion's class."""
