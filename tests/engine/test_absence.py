"""What is away is told from a file that is missing, and waited for."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from emlab.engine.absence import LONGEST_PAUSE, PATIENCE, Absences
from emlab.engine.reach import place_away


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A session's folder of files, with a square that has two movies."""
    (tmp_path / "epu" / "square").mkdir(parents=True)
    for name in ("one.mrc", "two.mrc"):
        (tmp_path / "epu" / "square" / name).write_text("pixels")
    return tmp_path / "epu"


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("square/three.mrc", errno.ENOENT),
        ("gone/three.mrc", errno.ENOENT),
        ("square/one.mrc", errno.EACCES),
        ("square/one.mrc", errno.EIO),
        ("square/one.mrc", None),
    ],
)
def test_a_file_alone_is_not_its_disk(folder: Path, name: str, number: int | None) -> None:
    assert place_away(folder / name, [folder], number) == ""


@pytest.mark.parametrize("number", [errno.ENOTCONN, errno.ETIMEDOUT, errno.EROFS])
def test_what_is_said_of_disks_and_servers_only_is_believed(folder: Path, number: int) -> None:
    assert place_away(folder / "square" / "one.mrc", [folder.parent, folder], number) == str(folder)


def test_a_folder_that_is_gone_or_a_mount_point_without_its_disk_is_away(folder: Path) -> None:
    file = folder / "square" / "one.mrc"
    folder.rename(folder.with_name("away"))
    assert place_away(file, [folder.parent, folder], errno.ENOENT) == str(folder)
    folder.mkdir()
    assert place_away(file, [folder], errno.ENOENT) == str(folder)
    assert place_away(file, [], errno.ENOENT) == str(file.parent)


def test_looks_get_rarer_and_those_that_were_sent_out_together_are_one() -> None:
    absences = Absences()
    assert absences.hold("align", 0.0) is None
    found = [absences.begin("align", "/data", now, 2.0) for now in (0.0, 0.1, 2.0, 2.5, 6.0, 14.0, 30.0, 60.0)]
    assert found[0] is not None
    assert found[0].looks == 6
    assert absences.hold("align", 60.0 + LONGEST_PAUSE - 1) == 60.0 + LONGEST_PAUSE
    assert absences.hold("align", 60.0 + LONGEST_PAUSE) is None
    assert absences.hold("ctf", 60.0) is None
    assert absences.end("align") is found[0]
    assert absences.hold("align", 60.0) is None


def test_patience_ends() -> None:
    absences = Absences()
    absences.begin("align", "/data", 0.0, 2.0)
    assert absences.begin("align", "/data", PATIENCE, 2.0) is not None
    assert absences.begin("align", "/data", PATIENCE + 1, 2.0) is None


def test_a_full_disk_is_waited_for_without_end() -> None:
    absences = Absences()
    absences.begin("align", "/session", 0.0, 2.0, is_full=True)
    found = absences.begin("align", "/session", 3 * PATIENCE, 2.0, is_full=True)
    assert found is not None
    assert found.beginning("No space left") == (
        "The disk of /session is full (No space left): items wait until the disk of /session has room."
    )
    assert found.ending(3 * PATIENCE) == "The disk of /session has room again after 3 d 0 h: waiting items continue."
