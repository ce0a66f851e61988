"""A folder is looked through step by step, and its newest file tells what it knows."""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from emlab.engine.probe import Findings, Reading, probe
from emlab.errors import ParameterError
from emlab.formats.mrc import write_mrc_movie
from emlab.protocols import PROTOCOLS


def look(folder: Path, protocol: str = "import_movies", **parameters: Any) -> Findings:
    model = PROTOCOLS[protocol].parameters
    *_, last = probe(model.model_validate({"folder": str(folder), **parameters}), PROTOCOLS[protocol])  # type: ignore[arg-type]
    assert last.is_done
    return last


NAME = "FoilHole_12_Data_34_5_20251003_100140"
XML = """<MicroscopeImage xmlns="x"><CustomData><E><Key>Dose</Key><Value>4E+21</Value></E></CustomData>
<microscopeData><gun><AccelerationVoltage>200000</AccelerationVoltage></gun>
<acquisition><camera><ReadoutArea><width>24</width></ReadoutArea></camera></acquisition></microscopeData>
<SpatialScale><pixelSize><x><numericValue>1.6E-10</numericValue></x></pixelSize></SpatialScale></MicroscopeImage>"""


def test_a_session_of_epu_is_described_with_what_its_xml_says(tmp_path: Path) -> None:
    folder = tmp_path / "GridSquare_7" / "Data"
    folder.mkdir(parents=True)
    tifffile.imwrite(
        folder / f"{NAME}_Fractions.tiff", np.ones((4, 32, 48), np.uint8), compression="lzw", photometric="minisblack"
    )
    (folder / f"{NAME}.xml").write_text(XML)
    found = look(tmp_path)
    assert (found.count, found.noun, found.is_whole, found.trouble) == (1, "movies", True, "")
    assert found.newest_at is not None
    assert found.sentence(found.newest_at + 12) == "1 movie, newest 12 s ago; 48×32×4, TIFF LZW uint8"
    assert found.readings == {
        "voltage": Reading(pytest.approx(200), f"{NAME}.xml"),
        # Of the fractions, which are twice as wide as the image that the XML describes.
        "pixel_size": Reading(pytest.approx(0.8), f"{NAME}.xml"),
        "dose_per_frame": Reading(pytest.approx(10), f"{NAME}.xml"),
        "total_dose": Reading(pytest.approx(40), f"{NAME}.xml"),
    }


def test_a_header_tells_the_pixel_size_and_nothing_the_voltage(tmp_path: Path) -> None:
    write_mrc_movie(tmp_path / "movie.mrcs", np.ones((3, 32, 48), np.uint8), 1.2)
    found = look(tmp_path)
    assert found.readings == {"pixel_size": Reading(pytest.approx(1.2), "the file's header")}
    assert found.sentence(
        0
    ) == "1 movie, newest 0 ms ago; 48×32×3, MRC mode 6, uint16" or "48×32×3, MRC" in found.sentence(0)


def test_the_newest_complete_file_is_looked_at(tmp_path: Path) -> None:
    for number, size in enumerate((16, 32)):
        write_mrc_movie(tmp_path / f"{number}.mrcs", np.ones((3, size, size), np.uint8), 1.2)
        os.utime(tmp_path / f"{number}.mrcs", (number, number))
    (tmp_path / "9.mrcs").write_bytes(b"")
    found = look(tmp_path)
    assert found.facts is not None
    assert (found.count, found.facts.width) == (3, 32)


def test_what_cannot_be_used_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "page.tif").write_bytes(b"%PDF-1.7, an article, say")
    assert "is a PDF document" in look(tmp_path).trouble


def test_a_folder_without_what_is_meant_says_so(tmp_path: Path) -> None:
    assert look(tmp_path).sentence(0) == "The folder is empty; files will be processed as they arrive."
    (tmp_path / "notes.txt").write_text("hello")
    assert look(tmp_path).sentence(0) == "No file matches yet; the folder holds notes.txt."
    assert look(tmp_path, pattern="*.eer").sentence(0).startswith("No file matches *.eer yet;")
    assert look(tmp_path).is_foreign


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="There is no such folder"):
        look(tmp_path / "none")
    (tmp_path / "file").touch()
    with pytest.raises(ParameterError, match="a file, not a folder"):
        look(tmp_path / "file")


def test_it_tells_what_it_has_and_ends_when_its_time_is_up(tmp_path: Path) -> None:
    for number in range(50):
        (tmp_path / f"{number}.tif").touch()
    ticks = itertools.count()
    parameters = PROTOCOLS["import_movies"].parameters.model_validate({"folder": str(tmp_path)})
    told = list(
        probe(parameters, PROTOCOLS["import_movies"], budget=20, step=4.5, clock=lambda: float(next(ticks)))  # type: ignore[arg-type]
    )
    counts = [found.count for found in told]
    assert counts == sorted(counts)
    assert counts[:3] == [5, 10, 15]
    assert (told[-1].is_done, told[-1].is_whole, counts[-1]) == (True, False, 21)
    assert told[0].sentence(0).endswith("so far …")
    assert told[-1].sentence(0).startswith("more than 21 movies")


def test_a_link_that_leads_in_a_circle_is_followed_once(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    write_mrc_movie(tmp_path / "a" / "movie.mrcs", np.ones((3, 32, 48), np.uint8), 1.2)
    (tmp_path / "a" / "again").symlink_to(tmp_path)
    assert look(tmp_path).count == 1
