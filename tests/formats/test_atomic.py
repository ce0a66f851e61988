from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from emlab.formats.atomic import sweep, whole_file


def test_a_file_appears_with_its_whole_content(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    with whole_file(target) as temporary:
        temporary.write_text("first half")
        assert not target.exists()
        assert temporary.parent == tmp_path
    assert target.read_text() == "first half"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_failed_write_leaves_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(RuntimeError), whole_file(target) as temporary:
        temporary.write_text("new")
        raise RuntimeError
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_the_content_is_on_the_disk_before_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target, done = tmp_path / "a.txt", []
    fsync = os.fsync

    def recorded(descriptor: int) -> None:
        done.append((str(Path(f"/proc/self/fd/{descriptor}").readlink()), target.exists()))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", recorded)
    with whole_file(target) as temporary:
        temporary.write_text("x")
    assert done == [(str(temporary), False), (str(tmp_path), True)]


def test_sweep_removes_what_was_left_half_written_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    code = "import os, sys\nfrom emlab.formats.atomic import whole_file\nwith whole_file(sys.argv[1]) as t:\n"
    code += " t.write_text('half')\n os._exit(1)"
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "below" / "a.mrc")], check=False)
    (left,) = (tmp_path / "below").iterdir()
    (tmp_path / ".theirs.tmp").write_text("not ours")
    reused = left.with_name(f".b.mrc.{os.getpid()}-0123abcd.tmp")
    reused.write_text("of a process whose number another has, after a reboot")
    (tmp_path / "b.mrc").write_text("whole")
    assert sorted(sweep(tmp_path)) == sorted([left, reused])
    assert sorted(path.name for path in tmp_path.rglob("*")) == [".theirs.tmp", "b.mrc", "below"]
