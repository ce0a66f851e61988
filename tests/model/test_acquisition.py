from __future__ import annotations

from typing import Any

import pytest

from emlab.errors import ParameterError
from emlab.model import FileFacts, Sidecar
from emlab.model.acquisition import Acquisition


def facts(width: int = 4096, pixel_size: float | None = None) -> FileFacts:
    return FileFacts(
        format="tiff", description="", frames=3, height=10, width=width, raw_frames=3, pixel_size=pixel_size
    )


def imaged(found: FileFacts, sidecar: Sidecar | None, **given: Any) -> dict[str, Any]:
    return Acquisition(folder="/a", **given).imaged("/a/b.tif", found, sidecar)


SAID = Sidecar(pixel_size=1.0, width=4096, voltage=200.0, acquired_at=5.0, hole="7", grid_square="8", stage_x=1.0)


def test_a_person_wins_over_the_sidecar_and_it_over_the_header() -> None:
    found = imaged(facts(pixel_size=3.0), SAID, pixel_size=2.0, voltage=300.0)
    assert (found["pixel_size"], found["voltage"]) == (2.0, 300.0)
    found = imaged(facts(pixel_size=3.0), SAID)
    assert (found["pixel_size"], found["voltage"]) == (1.0, 200.0)
    found = imaged(facts(pixel_size=3.0), None, voltage=300.0)
    assert (found["pixel_size"], found["acquired_at"]) == (3.0, None)


def test_the_rest_of_the_sidecar_is_passed_on() -> None:
    found = imaged(facts(), SAID)
    assert (found["acquired_at"], found["hole"], found["grid_square"], found["stage_x"]) == (5.0, "7", "8", 1.0)
    assert (found["spherical_aberration"], found["amplitude_contrast"]) == (2.7, 0.07)


@pytest.mark.parametrize(
    ("width", "expected"), [(8192, 0.5), (2048, 2.0), (4096, 1.0), (16384, 0.25), (4092, 4096 / 4096)]
)
def test_the_sidecars_image_may_be_binned_against_the_file(width: int, expected: float) -> None:
    assert imaged(facts(width), SAID)["pixel_size"] == expected


def test_a_sidecar_of_an_image_of_another_size_is_not_believed() -> None:
    """Three quarters of the width are no binning: a crop, or the sidecar of something else."""
    assert imaged(facts(3072, pixel_size=1.3), SAID)["pixel_size"] == 1.3
    with pytest.raises(ParameterError, match=r"states 1 Å for an image 4096 px wide, but its own 3072 px are not"):
        imaged(facts(3072), SAID)


def test_a_sidecar_without_a_width_tells_of_the_file_itself() -> None:
    assert imaged(facts(), Sidecar(pixel_size=1.2827, voltage=300.0))["pixel_size"] == 1.2827


def test_what_nothing_tells_is_asked_for() -> None:
    with pytest.raises(ParameterError, match=r"pixel size of /a/b.tif is not known: neither .*; give pixel_size"):
        imaged(facts(), None, voltage=300.0)
    with pytest.raises(ParameterError, match=r"voltage of /a/b.tif is not known: .*; give voltage"):
        imaged(facts(pixel_size=1.0), None)
