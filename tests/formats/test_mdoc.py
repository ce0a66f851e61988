from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from emlab.errors import FormatError
from emlab.formats.mdoc import read_mdoc

GLOBAL = "T = SerialEM: Krios = ours\nVoltage = 300\n\n"


def write(tmp_path: Path, text: str) -> Path:
    (tmp_path / "a.mdoc").write_text(text)
    return tmp_path / "a.mdoc"


def test_units_become_those_of_emlab(tmp_path: Path) -> None:
    said = read_mdoc(
        write(
            tmp_path,
            GLOBAL + "[FrameSet = 0]\nTiltAngle = -3.5\nStagePosition = 12 -34.5\nExposureDose = 40.5\n"
            "TargetDefocus = -1.8\nPixelSpacing = 0.83\nBinning = 1\nDateTime = 08-Oct-2021  07:39:08\n",
        )
    )
    assert (said.voltage, said.total_dose, said.pixel_size, said.width) == (300, 40.5, 0.83, None)
    assert (said.stage_x, said.stage_y, said.stage_tilt) == (120000, -345000, -3.5)
    assert said.target_defocus == pytest.approx(18000)
    assert said.acquired_at == datetime(2021, 10, 8, 7, 39, 8).timestamp()  # noqa: DTZ001 (the mdoc has no zone)


def test_the_dose_may_be_that_of_the_frames(tmp_path: Path) -> None:
    text = GLOBAL + "[FrameSet = 0]\nExposureDose = 0\nFrameDosesAndNumber = 0.5 10 1 5\n"
    assert read_mdoc(write(tmp_path, text)).total_dose == 10
    assert read_mdoc(write(tmp_path, text.replace("0.5 10 1 5", "0 46"))).total_dose is None


def test_a_binned_view_tells_its_width_or_nothing(tmp_path: Path) -> None:
    text = GLOBAL + "[FrameSet = 0]\nPixelSpacing = 2.5\nBinning = 8\n"
    assert (read_mdoc(write(tmp_path, text)).pixel_size, read_mdoc(write(tmp_path, text)).width) == (None, None)
    said = read_mdoc(write(tmp_path, text + "UncroppedSize = -1024 -1024\n"))
    assert (said.pixel_size, said.width) == (2.5, 1024)


def test_the_section_of_the_movie_is_chosen(tmp_path: Path) -> None:
    section = "[ZValue = {0}]\nSubFramePath = X:\\frames\\tilt_{0}.tif\nTiltAngle = {0}\n\n"
    path = write(tmp_path, GLOBAL + section.format(3) + section.format(6))
    assert read_mdoc(path, "/data/tilt_6.tif").stage_tilt == 6
    assert read_mdoc(path, "/data/tilt_6.tif").voltage == 300
    with pytest.raises(FormatError, match="has 2 sections, but none whose SubFramePath is other.tif"):
        read_mdoc(path, "other.tif")


def test_odd_values_are_none(tmp_path: Path) -> None:
    said = read_mdoc(
        write(tmp_path, "[FrameSet = 0]\nTiltAngle = none\nStagePosition = nan 3\nDateTime = tomorrow\nVoltage = x\n")
    )
    assert (said.stage_tilt, said.stage_x, said.acquired_at, said.voltage) == (None, None, None, None)


def test_another_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="has no section"):
        read_mdoc(write(tmp_path, "Voltage = 300\n"))


@pytest.mark.data
def test_real_files_are_read(reference_data: Path) -> None:
    k3 = read_mdoc(reference_data / "mdoc" / "frame_set_single.mdoc")
    assert (k3.pixel_size, k3.width, k3.total_dose, k3.stage_tilt) == (1.2827, None, 7.65892, 32.984)
    assert k3.target_defocus == pytest.approx(45000)
    apollo = read_mdoc(reference_data / "mdoc" / "20220605_75157_aav2spr_counted_frames.mrc.mdoc")
    assert (apollo.pixel_size, apollo.width, apollo.total_dose, apollo.voltage) == (2.48521, 1024, None, 300)
