"""EPU's folders, names and XML, as its sessions have them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from emlab.simulation.conditions import Conditions
from emlab.units import ELECTRONS_PER_SQUARE_METRE, METRE

ENDINGS: Final = {"tiff": "_Fractions.tiff", "mrc": "_Fractions.mrc", "eer": "_EER.eer"}
"""What EPU adds to a movie's name, by format."""
_SHOTS_PER_HOLE: Final = 2
_HOLES_PER_SQUARE: Final = 3


@dataclass(frozen=True)
class Shot:
    """One exposure of a session: two in each hole, three holes in each grid square.

    Attributes
    ----------
    number
        In the session, from 0.
    acquired_at
        Seconds since 1970-01-01 UTC.
    """

    number: int
    acquired_at: float

    @property
    def folder(self) -> Path:
        """Where its files go, relative to the session's folder."""
        return square_folder(self.number // (_SHOTS_PER_HOLE * _HOLES_PER_SQUARE))

    @property
    def stem(self) -> str:
        """Of its files' names."""
        hole = 12809138 + 8 * (self.number // _SHOTS_PER_HOLE)
        template = 15414332 + self.number % _SHOTS_PER_HOLE
        time = datetime.fromtimestamp(self.acquired_at, UTC)
        return f"FoilHole_{hole}_Data_{template}_{self.number + 1}_{time:%Y%m%d_%H%M%S}"

    @property
    def stage(self) -> tuple[float, float]:
        """Position of the stage, x and y, Å: 100 µm between grid squares, 3 µm between holes."""
        square, shot = divmod(self.number, _SHOTS_PER_HOLE * _HOLES_PER_SQUARE)
        return -9.7e5 + 1e6 * square, -1.5e6 + 3e4 * (shot // _SHOTS_PER_HOLE)


def square_folder(square: int) -> Path:
    """Where the movies of a grid square (from 0) go, relative to the session's folder."""
    return Path("Images-Disc1") / f"GridSquare_{12802483 + square}" / "Data"


def sidecar(shot: Shot, conditions: Conditions) -> str:
    """The XML that EPU writes beside a movie."""
    optics, (height, width) = conditions.optics, conditions.size
    defocus = 0.5 * (optics.defocus_u + optics.defocus_v)
    return _XML.format(
        dose=conditions.frames * conditions.dose_per_frame / ELECTRONS_PER_SQUARE_METRE,
        # The operator asks for steps of 0.1 µm, and the specimen is not quite where autofocus left it.
        applied_defocus=-round(defocus / 1e3) * 1e3 / METRE,
        phase_plate=str(optics.phase_shift != 0.0).lower(),
        pixel_size=conditions.pixel_size / METRE,
        time=datetime.fromtimestamp(shot.acquired_at, UTC).isoformat(timespec="microseconds"),
        frames=conditions.frames,
        height=height,
        width=width,
        volts=round(optics.voltage * 1e3),
        tilt=optics.tilt_angle * 0.017453292519943295,
        x=shot.stage[0] / METRE,
        y=shot.stage[1] / METRE,
    )


_XML: Final = """\
<MicroscopeImage xmlns="http://schemas.datacontract.org/2004/07/Fei.SharedObjects" \
xmlns:i="http://www.w3.org/2001/XMLSchema-instance">
 <name>Empty</name>
 <CustomData xmlns:a="http://schemas.microsoft.com/2003/10/Serialization/Arrays" \
xmlns:b="http://www.w3.org/2001/XMLSchema">
  <a:KeyValueOfstringanyType><a:Key>Dose</a:Key>\
<a:Value i:type="b:double">{dose:.9E}</a:Value></a:KeyValueOfstringanyType>
  <a:KeyValueOfstringanyType><a:Key>PhasePlateUsed</a:Key>\
<a:Value i:type="b:boolean">{phase_plate}</a:Value></a:KeyValueOfstringanyType>
  <a:KeyValueOfstringanyType><a:Key>DetectorCommercialName</a:Key>\
<a:Value i:type="b:string">Simulated</a:Value></a:KeyValueOfstringanyType>
  <a:KeyValueOfstringanyType><a:Key>AppliedDefocus</a:Key>\
<a:Value i:type="b:double">{applied_defocus:.3E}</a:Value></a:KeyValueOfstringanyType>
 </CustomData>
 <SpatialScale>
  <pixelSize>
   <x><numericValue>{pixel_size:.10E}</numericValue></x>
   <y><numericValue>{pixel_size:.10E}</numericValue></y>
  </pixelSize>
 </SpatialScale>
 <microscopeData>
  <acquisition>
   <acquisitionDateTime>{time}</acquisitionDateTime>
   <camera>
    <Binning xmlns:a="http://schemas.datacontract.org/2004/07/System.Drawing"><a:x>1</a:x><a:y>1</a:y></Binning>
    <CameraSpecificInput xmlns:a="http://schemas.microsoft.com/2003/10/Serialization/Arrays" \
xmlns:b="http://schemas.datacontract.org/2004/07/Fei.Applications.Common.Omp.Interface">
     <a:KeyValueOfstringanyType><a:Key>FractionationSettings</a:Key>\
<a:Value i:type="b:EquidistantFractionation"><b:NumberOffractions>{frames}</b:NumberOffractions></a:Value>\
</a:KeyValueOfstringanyType>
    </CameraSpecificInput>
    <Name>EF-CCD</Name>
    <ReadoutArea xmlns:a="http://schemas.datacontract.org/2004/07/System.Drawing">\
<a:height>{height}</a:height><a:width>{width}</a:width><a:x>0</a:x><a:y>0</a:y></ReadoutArea>
   </camera>
  </acquisition>
  <core><ApplicationSoftware>EPU</ApplicationSoftware></core>
  <gun><AccelerationVoltage>{volts}</AccelerationVoltage></gun>
  <stage>
   <Position><A>{tilt:.9E}</A><B>0</B><X>{x:.9E}</X><Y>{y:.9E}</Y><Z>0</Z></Position>
  </stage>
 </microscopeData>
</MicroscopeImage>
"""
