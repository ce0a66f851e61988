from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from emlab.errors import FormatError
from emlab.formats.sidecar import find_sidecar, read_sidecar

STEM = "FoilHole_12_Data_34_5_20251003_100140"
XML = """<MicroscopeImage xmlns="x"><microscopeData><gun><AccelerationVoltage>300000</AccelerationVoltage></gun>
<acquisition><acquisitionDateTime>2025-10-03T10:01:35Z</acquisitionDateTime></acquisition>
</microscopeData></MicroscopeImage>"""


@pytest.mark.parametrize(
    ("movie", "sidecar"),
    [
        (f"{STEM}_Fractions.tiff", f"{STEM}.xml"),
        (f"{STEM}_fractions.mrc", f"{STEM}.xml"),
        (f"{STEM}_EER.eer", f"{STEM}.xml"),
        (f"{STEM}.mrc", f"{STEM}.xml"),
        ("frames_001.tif", "frames_001.tif.mdoc"),
        ("frames_001.tif", "frames_001.mdoc"),
    ],
)
def test_names_belong_together(tmp_path: Path, movie: str, sidecar: str) -> None:
    assert find_sidecar(tmp_path / movie) is None
    (tmp_path / sidecar).write_text("")
    assert find_sidecar(tmp_path / movie) == tmp_path / sidecar


def test_xml_and_names_are_put_together(tmp_path: Path) -> None:
    folder = tmp_path / "GridSquare_77" / "Data"
    folder.mkdir(parents=True)
    (folder / f"{STEM}.xml").write_text(XML)
    said = read_sidecar(folder / f"{STEM}_Fractions.tiff")
    assert said is not None
    assert (said.voltage, said.grid_square, said.hole) == (300, "77", "12")
    assert said.acquired_at == datetime.fromisoformat("2025-10-03T10:01:35Z").timestamp()


def test_a_name_alone_tells_the_time_by_the_local_clock(tmp_path: Path) -> None:
    said = read_sidecar(tmp_path / f"{STEM}_Fractions.tiff")
    assert said is not None
    assert said.acquired_at == datetime(2025, 10, 3, 10, 1, 40).timestamp()  # noqa: DTZ001
    assert (said.hole, said.grid_square, said.voltage) == ("12", None, None)


def test_an_mdoc_is_read_for_its_movie(tmp_path: Path) -> None:
    (tmp_path / "a.tif.mdoc").write_text("Voltage = 200\n[FrameSet = 0]\nSubFramePath = D:\\a.tif\n")
    said = read_sidecar(tmp_path / "a.tif")
    assert said is not None
    assert said.voltage == 200


def test_nothing_is_none_and_damage_is_an_error(tmp_path: Path) -> None:
    assert read_sidecar(tmp_path / "a.tif") is None
    (tmp_path / f"{STEM}.xml").write_text(XML[:50])
    with pytest.raises(FormatError, match="if it is still being written, wait"):
        read_sidecar(tmp_path / f"{STEM}_Fractions.tiff")
