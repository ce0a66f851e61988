"""Parameters of how the images of a watched folder were taken."""

from __future__ import annotations

import math
from typing import Any

from emlab.errors import ParameterError
from emlab.model.facts import FileFacts, Sidecar
from emlab.model.parameters import parameter
from emlab.model.watched import WatchedFolder

_NEAR = 0.05
_OR_RETRY = ", or put its XML or mdoc beside it and retry."


class Acquisition(WatchedFolder):
    """The microscope's constants; those not given are read from the files beside the images."""

    pixel_size: float | None = parameter(
        None,
        gt=0,
        le=1000,
        unit="Å",
        label="Pixel size",
        help="Size of the pixels as read (half a sensor pixel if an EER is read as 8K). By default: from the XML or "
        "mdoc beside the file, otherwise from its header.",
    )
    voltage: float | None = parameter(
        None,
        ge=10,
        le=3000,
        unit="kV",
        label="Voltage",
        help="Acceleration voltage of the microscope. By default: from the XML or mdoc beside the file.",
    )
    spherical_aberration: float = parameter(
        2.7,
        ge=0,
        le=100,
        unit="mm",
        label="Spherical aberration",
        help="A property of the objective lens; 2.7 for most Krios.",
    )
    amplitude_contrast: float = parameter(
        0.07,
        ge=0,
        le=1,
        label="Amplitude contrast",
        help="The fraction of contrast that comes from absorption: 0.07 for protein in ice; 0.1 is just as common.",
    )

    def imaged(self, path: str, facts: FileFacts, sidecar: Sidecar | None) -> dict[str, Any]:
        """The fields of `Imaged` and ``acquired_at``: what a person gave, else the sidecar, else the header.

        Raises
        ------
        ParameterError
            If neither tells the pixel size or the voltage.
        """
        said = sidecar or Sidecar()
        pixel_size = self.pixel_size or scaled_pixel_size(facts, said) or facts.pixel_size
        if pixel_size is None:
            raise ParameterError(
                f"The pixel size of {path} is not known: {_why_unknown(facts, said)}; give pixel_size{_OR_RETRY}"
            )
        voltage = self.voltage or said.voltage
        if voltage is None:
            raise ParameterError(
                f"The voltage of {path} is not known: no XML or mdoc beside it states it; give voltage{_OR_RETRY}"
            )
        return {
            "acquired_at": said.acquired_at,
            "pixel_size": pixel_size,
            "voltage": voltage,
            "spherical_aberration": self.spherical_aberration,
            "amplitude_contrast": self.amplitude_contrast,
            "grid_square": said.grid_square,
            "hole": said.hole,
            "stage_x": said.stage_x,
            "stage_y": said.stage_y,
            "stage_tilt": said.stage_tilt,
            "target_defocus": said.target_defocus,
        }


def scaled_pixel_size(facts: FileFacts, said: Sidecar) -> float | None:
    """The sidecar's pixel size for pixels as read: its image may be binned against the file, by a power of two."""
    if said.pixel_size is None or said.width is None:
        return said.pixel_size
    ratio = facts.width / said.width
    factor = 2.0 ** round(math.log2(ratio))
    return said.pixel_size / factor if abs(ratio / factor - 1) < _NEAR else None


def _why_unknown(facts: FileFacts, said: Sidecar) -> str:
    if said.pixel_size is None:
        return "neither its header nor an XML or mdoc beside it states it"
    return (
        f"the file beside it states {said.pixel_size:.4g} Å for an image {said.width} px wide, but its own "
        f"{facts.width} px are not a binning of that, and its header does not state it"
    )
