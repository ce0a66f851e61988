from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from emlab.errors import FormatError, TruncatedFile
from emlab.formats.epu import read_epu_name, read_epu_xml

NAME = "FoilHole_12809138_Data_15414333_1_20251003_100000"


def xml(time: str = "2025-10-03T09:59:58.5+02:00", **more: str) -> str:
    custom = "".join(f"<E><Key>{key}</Key><Value>{value}</Value></E>" for key, value in more.items())
    return f"""<?xml version="1.0"?>
    <MicroscopeImage xmlns="http://schemas.datacontract.org/2004/07/Fei.SharedObjects">
      <CustomData>{custom}</CustomData>
      <SpatialScale><pixelSize><x><numericValue>8.5E-11</numericValue></x></pixelSize></SpatialScale>
      <microscopeData>
        <acquisition>
          <acquisitionDateTime>{time}</acquisitionDateTime>
          <camera><ReadoutArea><height>4092</height><width>5760</width></ReadoutArea></camera>
        </acquisition>
        <gun><AccelerationVoltage>200000</AccelerationVoltage></gun>
        <stage><Position><A>0.5</A><X>1E-05</X><Y>-2E-05</Y></Position></stage>
      </microscopeData>
    </MicroscopeImage>"""


def test_units_become_those_of_emlab(tmp_path: Path) -> None:
    (tmp_path / f"{NAME}.xml").write_text(xml(Dose="4.5E+21", AppliedDefocus="-1.5E-06"))
    said = read_epu_xml(tmp_path / f"{NAME}.xml")
    assert said.acquired_at == datetime(2025, 10, 3, 7, 59, 58, 500000, UTC).timestamp()
    assert said.pixel_size == pytest.approx(0.85)
    assert said.width == 5760
    assert said.voltage == pytest.approx(200)
    assert said.total_dose == pytest.approx(45)
    assert said.target_defocus == pytest.approx(15000)
    assert (said.stage_x, said.stage_y) == pytest.approx((1e5, -2e5))
    assert said.stage_tilt == pytest.approx(28.6479, abs=1e-4)
    assert said.hole == "12809138"
    assert said.grid_square is None


@pytest.mark.parametrize(
    ("time", "hour"),
    [("2025-10-03T10:00:000+00:00", 10), ("2025-10-03T10:00:000+02:00", 8), ("nonsenseZ", 10), ("T+02:00", 8)],
)
def test_a_time_that_cannot_be_read_is_the_names_in_the_same_zone(tmp_path: Path, time: str, hour: int) -> None:
    (tmp_path / f"{NAME}.xml").write_text(xml(time))
    assert read_epu_xml(tmp_path / f"{NAME}.xml").acquired_at == datetime(2025, 10, 3, hour, tzinfo=UTC).timestamp()
    (tmp_path / "other.xml").write_text(xml(time))
    assert read_epu_xml(tmp_path / "other.xml").acquired_at is None


def test_seven_digits_of_a_second_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(xml("2025-01-08T15:49:21.1049704+00:00"))
    expected = datetime(2025, 1, 8, 15, 49, 21, 104970, UTC).timestamp()
    assert read_epu_xml(tmp_path / "a.xml").acquired_at == pytest.approx(expected, abs=1e-5)


def test_what_is_absent_or_senseless_is_none(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text("<MicroscopeImage xmlns='x'/>")
    said = read_epu_xml(tmp_path / "a.xml")
    assert (said.pixel_size, said.voltage, said.total_dose, said.acquired_at) == (None, None, None, None)
    (tmp_path / "a.xml").write_text(xml(Dose="0", AppliedDefocus="NaN"))
    assert read_epu_xml(tmp_path / "a.xml").total_dose is None
    assert read_epu_xml(tmp_path / "a.xml").target_defocus is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (xml()[:400], "is not well-formed XML"),
        ("", "is not well-formed XML"),
        ("<EpuSessionXml/>", "not EPU's XML of an image but of a EpuSessionXml"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><MicroscopeImage>&b;</MicroscopeImage>', "is not well-formed XML"),
    ],
)
def test_other_xml_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.xml").write_text(text)
    with pytest.raises(FormatError, match=message):
        read_epu_xml(tmp_path / "a.xml")


@pytest.mark.parametrize("length", [0, 20, 400, len(xml()) - 1])
def test_xml_whose_end_is_missing_may_still_be_written(tmp_path: Path, length: int) -> None:
    (tmp_path / "a.xml").write_text(xml()[:length])
    with pytest.raises(TruncatedFile):
        read_epu_xml(tmp_path / "a.xml")


@pytest.mark.parametrize("ending", ["_Fractions.tiff", "_fractions.mrc", "_EER.eer", ".mrc", ".xml"])
@pytest.mark.parametrize("number", ["1", "n", "12_34"])
def test_names_tell_hole_square_and_time(ending: str, number: str) -> None:
    path = f"/a/Images-Disc1/GridSquare_77/Data/FoilHole_12_Data_34_{number}_20251003_100140{ending}"
    name = read_epu_name(path)
    assert (name.grid_square, name.hole) == ("77", "12")
    assert name.taken_at == datetime(2025, 10, 3, 10, 1, 40)  # noqa: DTZ001 (a name has no zone)


@pytest.mark.parametrize("path", ["May08_03.05.02.mrc", "FoilHole_12_20251003_100140.xml", "GridSquare_7_x/a.tif"])
def test_other_names_tell_nothing(path: str) -> None:
    name = read_epu_name(path)
    assert (name.grid_square, name.hole, name.taken_at) == (None, None, None)
    assert read_epu_name("FoilHole_1_Data_2_3_20259999_100140.xml").taken_at is None


def test_a_zone_that_does_not_exist_is_the_local_one(tmp_path: Path) -> None:
    (tmp_path / f"{NAME}.xml").write_text(xml("nonsense+99:59"))
    assert read_epu_xml(tmp_path / f"{NAME}.xml").acquired_at == datetime(2025, 10, 3, 10).timestamp()  # noqa: DTZ001


@pytest.mark.data
def test_real_and_simulated_files_are_read(reference_data: Path) -> None:
    path = next((reference_data / "epu").rglob("FoilHole_9015883_Data_9017354_6_20250108_154918.xml"))
    real = read_epu_xml(path)
    assert real.acquired_at == pytest.approx(1736351361.10497, rel=0, abs=1e-3)
    assert real.pixel_size == pytest.approx(1.05588, abs=1e-5)
    assert (real.width, real.voltage, real.grid_square, real.hole) == (2880, 300, "8999138", "9015883")
    assert real.total_dose == pytest.approx(14.5578, abs=1e-4)
    assert real.target_defocus == pytest.approx(27000)
    for simulated in (reference_data / "movies" / "session_1k").rglob("*.xml"):
        said = read_epu_xml(simulated)
        assert said.total_dose == pytest.approx(48)
        taken_at = read_epu_name(simulated).taken_at
        assert taken_at is not None
        assert said.acquired_at == taken_at.replace(tzinfo=UTC).timestamp()
