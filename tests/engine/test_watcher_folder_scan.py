"""Files are found again at a cost that grows with what is new."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from emlab.engine.watcher.folder_scan import FolderScan
from emlab.engine.watcher.patterns import Patterns
from emlab.engine.watcher.tree import files_below


class Scanned:
    """A tree of two folders, its scan, and which folders were listed."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.known: set[str] = set()
        self.listed: list[str] = []
        self.scan = FolderScan(str(root), Patterns(["**/*.mov"]), self.known, self._note)
        self.write("one/a.mov")
        self.write("two/b.mov")

    def write(self, name: str) -> None:
        """Write a file, and let its folder show the same time of modification as ever."""
        path = self.root / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
        os.utime(path.parent, (1000.0, 1000.0))

    def look(self, now: float) -> list[str]:
        self.listed.clear()
        return [os.path.relpath(path, self.root) for path in self.scan.changed(now)]

    def _note(self, folder: str) -> None:
        self.listed.append(os.path.relpath(folder, self.root))


@pytest.fixture
def scanned(tmp_path: Path) -> Scanned:
    return Scanned(tmp_path)


def test_files_are_found_until_they_are_known(scanned: Scanned) -> None:
    assert scanned.look(0) == ["one/a.mov", "two/b.mov"]
    scanned.known.add(str(scanned.root / "one/a.mov"))
    assert scanned.look(1) == ["two/b.mov"]


def test_a_folder_that_has_not_changed_is_not_listed_again(scanned: Scanned) -> None:
    scanned.look(0)
    scanned.look(4)
    assert scanned.look(10) == []
    assert scanned.listed == []


def test_a_changed_folder_is_listed_and_no_other(scanned: Scanned) -> None:
    scanned.look(0)
    scanned.look(4)
    scanned.write("two/c.mov")
    os.utime(scanned.root / "two", (2000.0, 2000.0))
    assert scanned.look(10) == ["two/b.mov", "two/c.mov"]
    assert scanned.listed == ["two"]


@pytest.mark.parametrize("looks", [(1, 2, 3), (5,)])
def test_a_folder_is_listed_once_more_when_its_time_would_show_a_change(
    scanned: Scanned, looks: tuple[float, ...]
) -> None:
    scanned.look(0)
    scanned.write("one/c.mov")
    assert all("one/c.mov" in scanned.look(now) for now in looks)


def test_every_folder_is_listed_each_minute_whatever_its_time_says(scanned: Scanned) -> None:
    for now in (0, 4):
        scanned.look(now)
    for minute in (1, 2, 3):
        scanned.write(f"one/{minute}.mov")
        assert scanned.look(60 * minute - 1) == []
        assert f"one/{minute}.mov" in scanned.look(60 * minute)


def test_every_folder_is_listed_when_events_were_lost(scanned: Scanned) -> None:
    for now in (0, 4):
        scanned.look(now)
    scanned.write("one/c.mov")
    scanned.scan.distrust()
    assert "one/c.mov" in scanned.look(5)


def test_what_is_written_once_a_folder_is_heard_of_is_found_by_listing_it(tmp_path: Path) -> None:
    scan = FolderScan(str(tmp_path), Patterns(["*.mov"]), set(), lambda _: (tmp_path / "a.mov").touch())
    assert list(scan.changed(0)) == [str(tmp_path / "a.mov")]


def test_a_folder_that_answers_again_is_listed_although_its_time_is_the_same(
    scanned: Scanned, monkeypatch: pytest.MonkeyPatch
) -> None:
    for now in (0, 4):
        scanned.look(now)
    scanned.write("one/c.mov")
    with monkeypatch.context() as broken:
        broken.setattr(scanned.scan, "_before_listing", _fail)
        broken.setattr(os, "stat", _fail)
        assert scanned.look(5) == []
        assert set(scanned.scan.troubles.values()) == {"Stale file handle"}
    assert "one/c.mov" in scanned.look(6)
    assert scanned.scan.troubles == {}


def test_folders_that_cannot_hold_a_file_are_not_entered(tmp_path: Path) -> None:
    for folder in ("GridSquare_1/Data", "GridSquare_1/FoilHoles", "Atlas"):
        (tmp_path / folder).mkdir(parents=True)
    listed: list[str] = []
    list(FolderScan(str(tmp_path), Patterns(["GridSquare_*/Data/*.mov"]), set(), listed.append).changed(0))
    assert [Path(folder).name for folder in listed] == [tmp_path.name, "GridSquare_1", "Data"]


def _fail(path: str) -> None:
    raise OSError(116, "Stale file handle", path)


def test_a_link_to_itself_is_no_trouble_of_its_folder(scanned: Scanned) -> None:
    (scanned.root / "one" / "self.mov").symlink_to(scanned.root / "one" / "self.mov")
    assert scanned.look(0) == ["one/a.mov", "two/b.mov"]
    assert scanned.scan.troubles == {}


def test_whoever_looks_once_finds_what_the_scan_does(scanned: Scanned, tmp_path: Path) -> None:
    outside = tmp_path.with_name(f"{tmp_path.name}-outside")
    outside.mkdir()
    (outside / "c.mov").touch()
    (scanned.root / ".hidden").mkdir()
    os.mkfifo(scanned.root / "pipe.mov")
    for name in ("link", "twin"):
        (scanned.root / name).symlink_to(outside)
    for name, target in (("back", scanned.root), ("inner", scanned.root / "one"), ("broken.mov", outside / "none")):
        (scanned.root / "two" / name).symlink_to(target)
    found = [relative for _, relative in files_below(str(scanned.root), Patterns(["**/*.mov"]))]
    assert len(found) == 3
    once = {Path(path).name for path in found}
    assert once == {Path(path).name for path in scanned.look(0)} == {"a.mov", "b.mov", "c.mov"}
