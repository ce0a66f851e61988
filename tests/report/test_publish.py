"""A report is copied whole to where it should go, or an error says why not, and no secret is kept."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import fsspec
import pytest

from emlab.errors import ParameterError, ProgramError
from emlab.report import ReportSettings, change_settings, check_target, publish, read_settings


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "session" / "index.html"
    path.parent.mkdir()
    path.write_text("<p>report</p>")
    return path


def test_a_folder_gets_the_report_in_place_of_the_one_before(page: Path, tmp_path: Path) -> None:
    target = f"{tmp_path}/www/{{name}}"
    for text in ("first", "second"):
        page.write_text(text)
        address = publish(page, target, "Grid 7/a")
    assert address == str(tmp_path / "www/Grid_7_a/index.html")
    assert Path(address).read_text() == "second"
    assert Path(address).stat().st_mode & 0o777 == 0o644
    assert [path.name for path in Path(address).parent.iterdir()] == ["index.html"]


def test_a_folder_that_cannot_be_written_is_told(page: Path) -> None:
    with pytest.raises(ProgramError, match="not published to /proc/nowhere: "):
        publish(page, "/proc/nowhere", "monday")


def test_storage_gets_the_report_by_its_protocol(page: Path) -> None:
    assert publish(page, "memory://www/{name}/", "monday") == "memory://www/monday/index.html"
    assert fsspec.filesystem("memory").cat("/www/monday/index.html") == b"<p>report</p>"


@pytest.mark.parametrize(
    ("target", "complaint"),
    [
        ("-e sh", "not a place to publish to"),
        ("  ", "not a place to publish to"),
        ("s3://key:secret@bucket/www", "contains a password"),
    ],
)
def test_what_is_no_address_or_has_a_secret_in_it_is_refused(page: Path, target: str, complaint: str) -> None:
    with pytest.raises(ParameterError, match=complaint) as refused:
        check_target(target)
    assert "secret@" not in str(refused.value)
    with pytest.raises(ParameterError, match=complaint):
        publish(page, target, "monday")


def test_an_unknown_protocol_is_told(page: Path) -> None:
    with pytest.raises(ParameterError, match="nosuch://www is not a place to publish to: .*nosuch"):
        publish(page, "nosuch://www", "monday")


@pytest.fixture
def rsync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program of that name that writes down what it was given."""
    program, seen = tmp_path / "bin" / "rsync", tmp_path / "seen.json"
    program.parent.mkdir()
    program.write_text(
        f"#!{sys.executable}\nimport json, os, sys\n"
        f"json.dump([sys.argv[1:], os.environ['RSYNC_RSH']], open({str(seen)!r}, 'w'))\n"
        "if 'away' in sys.argv[-1]: sys.exit('ssh: connect to host away port 22: No route to host')\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    return seen


def test_rsync_gets_its_arguments_as_a_list_and_asks_nobody(page: Path, rsync: Path) -> None:
    evil = "me@host:www/$(touch gone); it's/"
    assert publish(page, evil, "monday") == "me@host:www/$(touch gone); it's/index.html"
    arguments, shell = json.loads(rsync.read_text())
    assert arguments[-3:] == ["--", str(page), evil]
    assert "--protect-args" in arguments
    assert shell == "ssh -o BatchMode=yes"


def test_rsync_s_own_words_are_told(page: Path, rsync: Path) -> None:
    with pytest.raises(ProgramError, match="not published to away:www: ssh: connect to host away"):
        publish(page, "away:www", "monday")


def test_settings_keep_what_is_not_changed(tmp_path: Path) -> None:
    assert read_settings(tmp_path) == ReportSettings()
    (tmp_path / "logo.svg").write_text("<svg/>")
    change_settings(tmp_path, template=tmp_path)
    change_settings(tmp_path, publish=["/srv/www/{name}"])
    assert read_settings(tmp_path) == ReportSettings(template=str(tmp_path), publish=("/srv/www/{name}",))
    with pytest.raises(ParameterError, match="password"):
        change_settings(tmp_path, publish=["sftp://me:secret@host/www"])
    assert "secret" not in (tmp_path / "report.json").read_text()


def test_settings_that_are_damaged_are_told(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text('{"publish": 3}')
    with pytest.raises(ParameterError, match=r"report.json cannot be used: publish: "):
        read_settings(tmp_path)
