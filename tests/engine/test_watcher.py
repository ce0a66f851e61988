"""A watched folder: each file is handed on once, when it is complete.

Time is given by the tests; the kernel's file events are real, and there as soon as the call that causes them returns.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from emlab.engine.watcher import Report, Watcher
from emlab.engine.watcher.admission import SIDECAR_WAIT
from emlab.formats.completeness import Completeness
from emlab.model import Arrival

START = 1_700_000_000.0
"""Seconds since 1970: before any file was written that a test does not stamp itself."""


def check(path: str | Path) -> Completeness:
    """A format of the tests: ``frames:`` and a byte per frame; ``?:`` does not tell how many there will be."""
    declared, colon, frames = Path(path).read_text().partition(":")
    if not colon:
        return Completeness(state="growing", message="no header yet.")
    if declared != "?" and not declared.isdigit():
        return Completeness(state="foreign", message="not a movie: it begins with 'text'.")
    if declared != "?" and len(frames) < int(declared):
        return Completeness(state="growing", message=f"{len(frames)} of {declared} frames.")
    return Completeness(state="complete", frames=len(frames))


def sidecar_of(path: str) -> Path | None:
    sidecar = Path(path).with_suffix(".xml")
    return sidecar if sidecar.exists() else None


class Watched:
    """A folder, its watcher, and what the watcher said."""

    def __init__(self, folder: Path, clock: float = START) -> None:
        self.folder = folder
        self.now = clock
        self.arrivals: list[Arrival] = []
        self.reports: list[Report] = []
        self.checked: list[str] = []
        self.watchers: list[Watcher] = []

    def watch(self, *patterns: str, known: tuple[str, ...] = (), settle_time: float = 10.0) -> None:
        self.watchers.append(
            Watcher(
                self.folder,
                patterns or ("**/*.mov",),
                self.arrivals.append,
                self.reports.append,
                settle_time=settle_time,
                stalled_after=600.0,
                known=known,
                clock=lambda: self.now,
                check=self._check,
                find_sidecar=sidecar_of,
            )
        )
        self.look()

    def look(self, after: float = 0.0) -> None:
        self.now += after
        self.watchers[-1].look(self.now)

    def pending(self) -> list[Report]:
        return self.watchers[-1].pending()

    def _check(self, path: str) -> Completeness:
        self.checked.append(Path(path).name)
        return check(path)

    @property
    def names(self) -> list[str]:
        return [Path(arrival.path).name for arrival in self.arrivals]

    @property
    def evidence(self) -> list[str]:
        return [arrival.evidence for arrival in self.arrivals]

    def path(self, name: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def write(self, name: str, content: str = "3:abc", *, at: float | None = None) -> Path:
        """Write a file, as if at a time; the present one where none is given."""
        path = self.path(name)
        path.write_text(content)
        self.stamp(path, at)
        return path

    def stamp(self, path: Path, at: float | None = None) -> None:
        os.utime(path, (at or self.now, at or self.now))


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    (tmp_path / "epu").mkdir()
    watched = Watched(tmp_path / "epu")
    yield watched
    for watcher in watched.watchers:
        watcher.stop()


@pytest.fixture
def untold(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> Watched:
    """A folder whose file events are not heard, as on a network file system."""
    monkeypatch.setattr("emlab.engine.watcher.watcher.is_network", lambda _: True)
    monkeypatch.setattr("emlab.engine.watcher.file_events.FileEvents.taken", lambda _: [])
    return watched


class TestClosed:
    def test_a_file_is_taken_in_the_look_after_its_writer_closed_it(self, watched: Watched) -> None:
        watched.watch()
        path = watched.write("a.mov")
        watched.look()
        (arrival,) = watched.arrivals
        assert arrival == Arrival(key="a", path=str(path), size=5, modified=START, evidence="closed")
        assert watched.pending() == []

    def test_a_file_that_is_being_written_is_not_taken_although_its_structure_is_complete(
        self, watched: Watched
    ) -> None:
        watched.watch()
        watched.write("a.xml", "", at=4e9)
        with watched.path("a.mov").open("w") as writer:
            writer.write("?:abc")
            writer.flush()
            watched.look()
            watched.look(after=1)
            assert watched.arrivals == []
            assert [report.key for report in watched.pending()] == ["a"]
        watched.look()
        assert watched.evidence == ["closed"]

    def test_a_file_that_is_begun_anew_is_not_taken_for_the_one_that_was_closed(self, watched: Watched) -> None:
        watched.watch()
        watched.write("a.mov", "?:ab").unlink()
        with watched.path("a.mov").open("w") as writer:
            writer.write("?:abc")
            writer.flush()
            watched.look()
            assert watched.arrivals == []
        watched.look()
        assert [arrival.size for arrival in watched.arrivals] == [5]

    def test_a_file_that_was_renamed_to_its_name_is_taken(self, watched: Watched) -> None:
        watched.watch()
        part = watched.write("a.part")
        part.rename(watched.path("a.mov"))
        watched.look()
        assert watched.evidence == ["closed"]

    def test_a_file_that_was_moved_in_from_elsewhere_is_taken(self, watched: Watched, tmp_path: Path) -> None:
        watched.watch()
        elsewhere = tmp_path / "a.mov"
        elsewhere.write_text("3:abc")
        elsewhere.rename(watched.path("a.mov"))
        watched.look()
        assert watched.evidence == ["closed"]

    def test_a_closed_file_that_lacks_its_end_is_not_taken(self, watched: Watched) -> None:
        watched.watch()
        watched.write("a.mov", "3:ab")
        watched.look()
        assert watched.arrivals == []
        assert [(report.kind, report.message) for report in watched.pending()] == [("pending", "2 of 3 frames.")]

    def test_a_file_that_is_written_to_again_counts_as_closed_no_more(self, watched: Watched) -> None:
        watched.watch()
        watched.write("a.mov", "3:ab")
        watched.look()
        with watched.path("a.mov").open("a") as writer:
            writer.write("c")
            writer.flush()
            watched.look(after=5)
            assert watched.arrivals == []

    def test_a_file_is_looked_into_anew_when_it_is_closed_although_neither_size_nor_time_tell(
        self, watched: Watched
    ) -> None:
        watched.watch()
        with watched.path("a.mov").open("w") as writer:
            writer.write("3abc:")
            writer.flush()
            watched.stamp(watched.folder / "a.mov")
            watched.look()
            writer.seek(0)
            writer.write("3:abc")
        watched.stamp(watched.folder / "a.mov")
        watched.look()
        assert watched.evidence == ["closed"]

    def test_what_is_written_to_a_file_after_it_was_taken_is_reported(self, watched: Watched) -> None:
        watched.watch()
        path = watched.write("a.mov", "?:a")
        watched.look()
        path.open("a").close()
        watched.look()
        assert watched.reports == []
        path.write_text("?:abc")
        watched.look()
        assert watched.names == ["a.mov"]
        (report,) = watched.reports
        assert (report.kind, report.final) == ("changed", False)
        assert "3 bytes" in report.message
        assert "5 now" in report.message

    def test_a_writer_that_opens_the_file_anew_for_each_frame_is_waited_for(self, watched: Watched) -> None:
        watched.watch()
        for name in ("a.mov", "b.mov", "c.mov"):
            watched.write(name, "?:abc")
        watched.look()
        for frames in ("a", "ab"):
            watched.write("d.mov", f"?:{frames}")
            watched.look(after=1)
        assert watched.names == ["a.mov", "b.mov", "c.mov"]
        watched.write("d.mov", "?:abc")
        watched.look(after=1)
        assert watched.names == ["a.mov", "b.mov", "c.mov", "d.mov"]


class TestSidecar:
    def test_a_file_with_a_newer_sidecar_is_taken_at_once(self, untold: Watched) -> None:
        untold.write("a.mov", at=START)
        untold.write("a.xml", "", at=START)
        untold.watch()
        assert untold.evidence == ["sidecar"]

    def test_an_older_sidecar_says_nothing(self, untold: Watched) -> None:
        untold.write("a.xml", "", at=START - 1)
        untold.write("a.mov", at=START)
        untold.watch()
        assert untold.arrivals == []

    def test_a_movie_waits_for_metadata_where_its_name_is_one_of_epu(self, watched: Watched) -> None:
        watched.watch()
        watched.write("FoilHole_1.mov")
        watched.look()
        assert watched.arrivals == []
        watched.write("FoilHole_1.xml", "")
        watched.look()
        assert watched.evidence == ["closed"]

    def test_a_movie_waits_for_metadata_where_those_before_had_them(self, watched: Watched) -> None:
        watched.write("a.mov")
        watched.write("a.xml", "")
        watched.watch()
        watched.write("b.mov")
        watched.look()
        assert watched.names == ["a.mov"]

    def test_metadata_that_never_come_are_waited_for_a_short_time_only(self, watched: Watched) -> None:
        watched.watch()
        watched.write("FoilHole_1.mov")
        watched.look()
        watched.look(after=SIDECAR_WAIT)
        assert watched.evidence == ["closed"]

    def test_a_closed_movie_waits_for_its_sidecar_when_those_before_had_one(self, watched: Watched) -> None:
        watched.watch()
        watched.write("a.mov")
        watched.write("a.xml", "")
        watched.look()
        watched.write("b.mov")
        watched.look()
        assert watched.names == ["a.mov"]
        watched.write("b.xml", "")
        watched.look()
        assert watched.names == ["a.mov", "b.mov"]

    def test_a_movie_of_epu_waits_for_its_sidecar_but_not_for_ever(self, watched: Watched) -> None:
        watched.watch()
        watched.write("FoilHole_1_Data_2.mov")
        watched.look(after=5)
        assert watched.arrivals == []
        watched.look(after=5)
        assert watched.evidence == ["closed"]


class TestFrames:
    @pytest.fixture
    def experienced(self, untold: Watched) -> Watched:
        """A watcher that knows that a movie has three frames."""
        for name in ("a", "b", "c"):
            untold.write(f"{name}.mov", "?:abc")
            untold.write(f"{name}.xml", "")
        untold.watch()
        assert untold.evidence == ["sidecar"] * 3
        return untold

    def test_a_file_with_as_many_frames_as_the_others_is_taken_when_two_looks_agree(self, experienced: Watched) -> None:
        experienced.now += 1
        experienced.write("d.mov", "?:abc")
        experienced.look()
        assert len(experienced.arrivals) == 3
        experienced.look(after=SIDECAR_WAIT)
        assert experienced.evidence[3:] == ["frames"]

    def test_a_file_with_fewer_frames_has_to_be_quiet_for_long(self, experienced: Watched) -> None:
        experienced.now += 1
        experienced.write("d.mov", "?:ab")
        experienced.write("d.xml", "", at=experienced.now + 1)
        experienced.look()
        experienced.look(after=9)
        assert len(experienced.arrivals) == 3
        experienced.look(after=1)
        assert experienced.evidence[3:] == ["stable"]

    def test_two_movies_do_not_tell_how_many_frames_there_are(self, untold: Watched) -> None:
        for name in ("a", "b"):
            untold.write(f"{name}.mov", "?:abc")
            untold.write(f"{name}.xml", "")
        untold.write("c.mov", "?:abc")
        untold.watch()
        untold.look(after=1)
        assert untold.names == ["a.mov", "b.mov"]


class TestStable:
    def test_a_quiet_file_is_taken_when_it_is_old_enough(self, untold: Watched) -> None:
        untold.write("a.mov", at=START)
        untold.watch()
        untold.look(after=9)
        assert untold.arrivals == []
        untold.look(after=1)
        assert untold.evidence == ["stable"]

    def test_a_very_old_file_is_taken_at_once(self, untold: Watched) -> None:
        untold.write("a.mov", at=START - 600)
        untold.watch()
        assert untold.evidence == ["stable"]

    def test_a_file_that_is_old_enough_has_to_be_seen_quiet_too(self, untold: Watched) -> None:
        untold.write("a.mov", at=START - 500)
        untold.watch()
        untold.look(after=4)
        assert untold.arrivals == []
        untold.look(after=1)
        assert untold.evidence == ["stable"]

    def test_each_change_begins_the_wait_anew(self, untold: Watched) -> None:
        untold.write("a.mov", "?:a")
        untold.watch()
        untold.look(after=9)
        untold.write("a.mov", "?:ab")
        untold.look(after=9)
        assert untold.arrivals == []
        untold.look(after=10)
        assert [(arrival.evidence, arrival.size) for arrival in untold.arrivals] == [("stable", 4)]

    def test_a_server_whose_clock_is_ahead_does_not_keep_a_file_for_ever(self, untold: Watched) -> None:
        untold.write("a.mov", at=START + 3600)
        untold.watch()
        untold.look(after=9)
        assert untold.arrivals == []
        untold.look(after=1)
        assert untold.evidence == ["stable"]

    def test_an_unchanged_file_is_looked_into_once(self, untold: Watched) -> None:
        untold.write("a.mov")
        untold.watch()
        for _ in range(20):
            untold.look(after=1)
        assert untold.checked == ["a.mov"]


class TestIncomplete:
    def test_a_file_that_stays_incomplete_is_reported_once_and_taken_when_the_rest_comes(
        self, watched: Watched
    ) -> None:
        watched.watch()
        path = watched.write("a.mov", "3:ab")
        watched.look(after=595)
        assert watched.reports == []
        watched.look(after=5)
        watched.look(after=1000)
        (report,) = watched.reports
        assert (report.kind, report.key, report.final) == ("stalled", "a", False)
        assert "2 of 3 frames. Unchanged for 600 s" in report.message
        assert watched.arrivals == []
        path.write_text("3:abc")
        watched.look()
        assert watched.names == ["a.mov"]
        assert watched.pending() == []

    def test_a_foreign_file_is_given_up_once(self, watched: Watched) -> None:
        watched.watch()
        watched.write("a.mov", "text: more")
        watched.look()
        watched.look(after=1000)
        (report,) = watched.reports
        assert (report.kind, report.key, report.final) == ("foreign", "a", True)
        assert "not a movie" in report.message
        assert watched.arrivals == watched.pending() == []

    def test_a_file_that_looks_foreign_while_it_is_written_is_not_given_up(self, watched: Watched) -> None:
        watched.watch()
        with watched.path("a.mov").open("w") as writer:
            writer.write("xx:")
            writer.flush()
            watched.look()
            writer.seek(0)
            writer.write("03:abc")
        watched.look()
        assert watched.reports == []
        assert watched.names == ["a.mov"]

    def test_a_temporary_file_that_vanishes_leaves_no_trace(self, watched: Watched) -> None:
        watched.watch()
        path = watched.write("a.mov", "3:")
        watched.look()
        path.unlink()
        watched.look(after=10)
        assert watched.pending() == watched.reports == []

    def test_a_file_that_cannot_be_read_is_reported_once_and_taken_when_it_can_be(
        self, watched: Watched, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(path: Path) -> Completeness:
            raise PermissionError(13, "Permission denied", str(path))

        monkeypatch.setattr(watched, "_check", refuse)
        watched.watch()
        watched.write("a.mov")
        watched.look()
        watched.look(after=10)
        (report,) = watched.reports
        assert "cannot be read (Permission denied)" in report.message
        assert [pending.key for pending in watched.pending()] == ["a"]

    def test_a_name_that_is_no_text_is_given_up_with_a_name_that_can_be_written(self, watched: Watched) -> None:
        watched.watch()
        watched.write(os.fsdecode(b"b\xff.mov"))
        watched.look()
        (report,) = watched.reports
        assert (report.key, report.final) == (r"b\udcff", True)
        assert report.path.encode()
        assert watched.arrivals == []

    def test_a_pipe_is_not_opened(self, watched: Watched) -> None:
        watched.watch("*")
        os.mkfifo(watched.path("a.mov"))
        watched.look()
        watched.look(after=10)
        assert watched.checked == watched.pending() == []


class TestOnce:
    @pytest.fixture(autouse=True)
    def folders(self, watched: Watched) -> None:
        for folder in ("one", "two", "three"):
            (watched.folder / folder).mkdir()

    def test_a_copy_in_another_folder_is_reported_and_not_taken(self, watched: Watched) -> None:
        watched.watch()
        first = watched.write("one/a.mov")
        watched.look()
        second = watched.write("two/a.mov")
        watched.look()
        assert watched.names == ["a.mov"]
        (report,) = watched.reports
        assert (report.kind, report.path, report.final) == ("duplicate", str(second), True)
        assert str(first) in report.message
        assert report.key != "a"

    def test_a_copy_of_a_file_that_was_taken_in_an_earlier_life_is_not_taken(self, watched: Watched) -> None:
        first = watched.write("one/a.mov")
        watched.watch(known=(str(first),))
        watched.write("two/a.mov")
        watched.look()
        assert watched.arrivals == []
        assert [report.kind for report in watched.reports] == ["duplicate"]

    def test_one_of_two_copies_is_taken_whichever_is_complete_first(self, watched: Watched) -> None:
        watched.write("one/a.mov")
        watched.watch()
        assert [report.key for report in watched.pending()] == ["a"]
        watched.write("two/a.mov")
        watched.look()
        watched.look(after=10)
        assert [Path(arrival.path).parent.name for arrival in watched.arrivals] == ["two"]
        assert [Path(report.path).parent.name for report in watched.reports] == ["one"]

    def test_files_of_one_name_and_different_content_are_both_taken(self, watched: Watched) -> None:
        watched.watch()
        watched.write("one/a.mov", "3:abc")
        watched.write("two/a.mov", "3:abx")
        watched.look()
        assert watched.names == ["a.mov", "a.mov"]
        first, second = (arrival.key for arrival in watched.arrivals)
        assert first == "a"
        assert second.startswith("a_")

    def test_a_namesake_gets_a_key_of_its_own_whatever_the_order_after_a_restart(self, watched: Watched) -> None:
        watched.watch()
        for folder, content in (("one", "3:abc"), ("two", "3:abx"), ("three", "3:aby")):
            watched.write(f"{folder}/a.mov", content)
            watched.look()
        known = [arrival.path for arrival in watched.arrivals]
        watched.watch(known=(known[2], known[1]))
        watched.look(after=10)
        assert watched.arrivals[3].path == known[0]
        assert watched.arrivals[3].key not in {arrival.key for arrival in watched.arrivals[:3]}

    def test_dots_and_blanks_of_a_name_become_underscores(self, watched: Watched) -> None:
        watched.watch()
        watched.write("a.b c.mov")
        watched.look()
        assert watched.arrivals[0].key == "a_b_c"

    def test_what_is_known_is_not_taken_again(self, watched: Watched) -> None:
        path = watched.write("a.mov", at=START - 100)
        watched.write("b.mov", at=START - 100)
        watched.watch(known=(str(path),))
        watched.look(after=10)
        path.write_text("4:abcd")
        watched.look(after=100)
        assert watched.names == ["b.mov"]
        assert watched.reports == []

    def test_every_file_is_accounted_for_once(self, watched: Watched) -> None:
        watched.write("before.mov", at=START - 100)
        watched.watch()
        watched.write("good.mov")
        watched.write("torn.mov", "3:a")
        watched.write("text.mov", "text:")
        watched.write("two/good.mov")
        watched.write("not meant.txt")
        for _ in range(10):
            watched.look(after=10)
        settled = [arrival.key for arrival in watched.arrivals]
        settled += [report.key for report in watched.reports if report.final]
        settled += [report.key for report in watched.pending()]
        assert sorted(key.partition("_")[0] for key in settled if key) == ["before", "good", "good", "text", "torn"]
        assert len(set(settled)) == 5


class TestFolders:
    def test_files_of_a_folder_that_appears_with_them_are_found(self, watched: Watched, tmp_path: Path) -> None:
        watched.watch("*/Data/*.mov")
        ready = tmp_path / "ready" / "Data"
        ready.mkdir(parents=True)
        (ready / "a.mov").write_text("3:abc")
        ready.parent.rename(watched.folder / "GridSquare_1")
        watched.look()
        assert [report.key for report in watched.pending()] == ["a"]
        (watched.folder / "GridSquare_1" / "Data" / "b.mov").write_text("3:abc")
        watched.look()
        assert watched.names == ["b.mov"]
        watched.look(after=10)
        assert watched.names == ["b.mov", "a.mov"]

    def test_none_of_many_folders_is_missed_that_appear_and_are_written_at_once(self, watched: Watched) -> None:
        watched.watch()
        for index in range(200):
            watched.write(f"GridSquare_{index}/deep/er/{index}.mov", f"3:{index:03}")
            watched.write(f"GridSquare_{index}/deep/er/{index}.xml", "")
            if index % 7 == 0:
                watched.look()
        watched.look()
        assert sorted(watched.names) == sorted(f"{index}.mov" for index in range(200))

    def test_a_folder_that_disappears_and_comes_back_is_survived(self, watched: Watched, tmp_path: Path) -> None:
        watched.watch()
        watched.write("a.mov")
        watched.look()
        watched.folder.rename(tmp_path / "away")
        watched.look(after=5)
        watched.look(after=5)
        (lost,) = watched.reports
        assert (lost.kind, lost.path, lost.key) == ("folder", str(watched.folder), None)
        assert "No such file or directory" in lost.message
        (tmp_path / "away").rename(watched.folder)
        watched.look(after=5)
        assert "can be read again" in watched.reports[1].message
        watched.write("b.mov")
        watched.look()
        assert watched.names == ["a.mov", "b.mov"]
        assert watched.evidence == ["closed", "closed"]
        assert len(watched.reports) == 2

    def test_a_folder_that_is_made_anew_is_heard_again(self, watched: Watched) -> None:
        watched.watch()
        watched.folder.rmdir()
        watched.folder.mkdir()
        watched.look(after=5)
        watched.write("a.mov")
        watched.look()
        assert watched.evidence == ["closed"]

    def test_a_folder_that_is_not_there_yet_is_waited_for(self, watched: Watched) -> None:
        watched.folder.rmdir()
        watched.watch()
        assert [report.kind for report in watched.reports] == ["folder"]
        watched.folder.mkdir()
        watched.look(after=5)
        watched.write("a.mov")
        watched.look()
        assert watched.names == ["a.mov"]

    def test_a_folder_that_cannot_be_read_is_reported_once(
        self, watched: Watched, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        listed: Callable[[str], Iterator[os.DirEntry[str]]] = os.scandir

        def refuse(path: str) -> Iterator[os.DirEntry[str]]:
            if path.endswith("locked"):
                raise PermissionError(13, "Permission denied", path)
            return listed(path)

        monkeypatch.setattr(os, "scandir", refuse)
        watched.path("locked/a.mov")
        watched.watch()
        for _ in range(5):
            watched.look(after=30)
        assert [(report.kind, Path(report.path).name) for report in watched.reports] == [("folder", "locked")]

    def test_links_to_folders_are_followed_once_and_never_in_circles(self, watched: Watched, tmp_path: Path) -> None:
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        (elsewhere / "a.mov").write_text("3:abc")
        (elsewhere / "back").symlink_to(watched.folder)
        (elsewhere / "round").symlink_to(elsewhere)
        watched.path("sub/link").symlink_to(elsewhere)
        watched.path("sub/up").symlink_to(watched.folder)
        watched.watch()
        watched.look(after=10)
        assert [arrival.path for arrival in watched.arrivals] == [str(watched.folder / "sub" / "link" / "a.mov")]


class TestHearing:
    def test_too_few_watches_are_reported_once_and_made_up_for(
        self, watched: Watched, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("emlab.engine.watcher.file_events.FileEvents.watch", refuse)
        watched.watch()
        watched.path("below/a.mov")
        watched.look(after=1)
        (report,) = watched.reports
        assert "fs.inotify.max_user_watches" in report.message
        watched.write("below/a.mov", at=START - 100)
        watched.look(after=1)
        watched.look(after=5)
        assert watched.names == ["a.mov"]

    def test_events_that_the_kernel_lost_are_made_up_for(
        self, watched: Watched, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from emlab.engine.watcher.file_events import FileEvent, FileEvents

        watched.stamp(watched.folder)
        watched.watch()
        watched.look(after=5)
        with watched.path("a.mov").open("w") as writer:
            watched.look()
            writer.write("3:abc")
        watched.stamp(watched.folder / "a.mov")
        watched.write("a.xml", "")
        watched.write("b.mov")
        watched.write("b.xml", "")
        watched.stamp(watched.folder, START)
        monkeypatch.setattr(FileEvents, "taken", lambda _: [FileEvent("lost", "")])
        watched.look()
        assert watched.names == ["a.mov", "b.mov"]
        assert watched.evidence == ["sidecar", "sidecar"]

    def test_a_clock_that_is_set_back_does_not_stop_the_scans(self, untold: Watched) -> None:
        untold.watch()
        untold.write("a.mov", at=START - 1e6)
        untold.look(after=-86400)
        untold.look(after=5)
        assert untold.names == ["a.mov"]


def test_the_thread_hands_on_a_file_and_stops(watched: Watched) -> None:
    import queue

    arrived: queue.SimpleQueue[Arrival] = queue.SimpleQueue()
    looked: queue.SimpleQueue[int] = queue.SimpleQueue()
    watcher = Watcher(
        watched.folder,
        ["*.mov"],
        arrived.put,
        watched.reports.append,
        looked=lambda: looked.put(arrived.qsize()),
        check=check,
        find_sidecar=sidecar_of,
    )
    watched.write("a.mov")
    watched.write("a.xml", "")
    watcher.start()
    try:
        assert looked.get(timeout=30) == 1
        assert arrived.get(timeout=30).evidence == "sidecar"
        watched.write("b.xml", "")
        # As of now: an old one may be taken for its age before the kernel tells that it was closed.
        watched.write("b.mov", at=time.time())
        assert arrived.get(timeout=30).evidence == "closed"
    finally:
        watcher.stop()
    assert watched.reports == []


def test_a_file_that_cannot_be_looked_at_keeps_no_other_from_being_taken(watched: Watched) -> None:
    def refuse(path: str) -> Completeness:
        if path.endswith("a.mov"):
            raise ZeroDivisionError("division by zero")
        return check(path)

    watched.write("a.mov")
    watched.write("b.mov")
    watcher = Watcher(watched.folder, ["*.mov"], watched.arrivals.append, watched.reports.append, check=refuse)
    watcher.look(time.time())
    watcher.look(time.time() + 10)
    assert watched.names == ["b.mov"]
    (report,) = watched.reports
    assert report.path.endswith("a.mov")
    assert "ZeroDivisionError: division by zero" in report.message
    assert [pending.key for pending in watcher.pending()] == ["a"]
    watcher.stop()


def test_a_watcher_that_breaks_says_so_once_and_goes_on(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    import queue

    monkeypatch.setattr("emlab.engine.watcher.watcher.AGAIN", 0.001)
    arrived: queue.SimpleQueue[Arrival] = queue.SimpleQueue()
    watched.write("a.mov")
    times = iter([ValueError("no time"), ValueError("no time")])

    def clock() -> float:
        if trouble := next(times, None):
            raise trouble
        return time.time()

    watcher = Watcher(watched.folder, ["*.mov"], arrived.put, watched.reports.append, clock=clock, check=check)
    watcher.start()
    try:
        assert arrived.get(timeout=30).key == "a"
    finally:
        watcher.stop()
    (report,) = watched.reports
    assert "ValueError: no time" in report.message
