"""The command line does what it says, and says what is wrong."""

from __future__ import annotations

import json
import re
import shutil
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emlab.cli import main
from emlab.formats.mrc import write_mrc, write_mrc_movie
from emlab.protocols import PROTOCOLS
from emlab.session import open_session

Emlab = Callable[..., str]


@pytest.fixture
def emlab(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Emlab:
    """Run a command; gives its standard output, or raises SystemExit with its exit code."""

    def run(*arguments: object) -> str:
        monkeypatch.setattr("sys.argv", ["emlab", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        if ended.value.code not in (0, None):
            raise SystemExit(printed.err + printed.out)
        return printed.out

    return run


@pytest.fixture
def micrographs(tmp_path: Path) -> Path:
    folder = tmp_path / "micrographs"
    folder.mkdir()
    image = np.random.default_rng(1).normal(size=(64, 64)).astype(np.float32)
    for number in range(2):
        write_mrc(folder / f"micrograph_{number}.mrc", image, 1.5)
    return folder


def test_help_lists_every_command(emlab: Emlab) -> None:
    text = emlab("--help")
    for command in (
        "demo",
        "launch",
        "template",
        "create",
        "start",
        "run",
        "status",
        "stop",
        "resume",
        "report",
        "simulate",
        "doctor",
    ):
        assert f" {command} " in text


def test_help_of_apply_teaches_every_parameter(emlab: Emlab) -> None:
    text = " ".join(emlab("apply", "align_movie", "--help").split())
    for name in PROTOCOLS["align_movie"].parameters.model_fields:
        assert f"--{name.replace('_', '-')}"[:20] in text
    assert "--gain-reference" in text
    assert "[default: 2.7 mm]" in text.replace("│ │ ", "")


def test_what_is_in_brackets_is_text_and_what_can_be_copied_works(
    emlab: Emlab, tmp_path: Path, micrographs: Path
) -> None:
    session = tmp_path / "grid [bold] 2 [v]"
    told = emlab("create", session, "--workflow", "micrographs", f"micrographs={micrographs}", "voltage=300")
    assert f"Next: emlab start '{session}'" in told
    assert emlab("status", session).startswith("grid [bold] 2 [v]  created.")
    with pytest.raises(SystemExit, match=re.escape("There is no /none [v].")):
        emlab("status", "/none [v]")


def test_a_limit_can_be_left_open(emlab: Emlab, tmp_path: Path, micrographs: Path) -> None:
    session, values = tmp_path / "session", (f"micrographs={micrographs}", "voltage=300")
    emlab("create", session, "--workflow", "micrographs", *values, "select.max_astigmatism=")
    emlab("change", session, "select", "max_ctf_resolution=")
    with open_session(session) as opened:
        first, second = (run.parameters for run in opened.runs[-2:])
    assert (first["max_astigmatism"], first["max_ctf_resolution"]) == (None, 8.0)
    assert (second["max_astigmatism"], second["max_ctf_resolution"]) == (None, None)
    with pytest.raises(SystemExit, match="min_defocus, 100 Å"):
        emlab("change", session, "select", "min_defocus=100", "max_defocus=10")


def test_several_sessions_are_told_of_at_once(emlab: Emlab, tmp_path: Path, micrographs: Path) -> None:
    sessions = [tmp_path / "one", tmp_path / "two"]
    for session in sessions:
        emlab("create", session, "--workflow", "micrographs", f"micrographs={micrographs}", "voltage=300")
    assert [found["name"] for found in json.loads(emlab("status", *sessions, "--json"))] == ["one", "two"]
    metrics = emlab("status", *sessions, "--prometheus").splitlines()
    assert metrics.count("# TYPE emlab_up gauge") == 1
    assert f'emlab_up{{session="two",path="{sessions[1]}"}} 0' in metrics
    with pytest.raises(SystemExit, match="Only one session can be followed at a time; you gave 2"):
        emlab("status", *sessions, "--follow")


def test_a_session_is_created_and_looked_at(emlab: Emlab, tmp_path: Path, micrographs: Path) -> None:
    session = tmp_path / "session"
    emlab("create", session, "--workflow", "micrographs", f"micrographs={micrographs}", "voltage=300")
    with open_session(session) as opened:
        assert opened.runs[0].parameters["voltage"] == 300
    assert "created. Waiting for the first file." in emlab("status", session)
    status = json.loads(emlab("status", session, "--json"))
    assert status["state"] == "created"
    assert status["stages"]["ctf"]["done"] == 0


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("create", "{tmp}/s", "movies={tmp}/nothing"), "ParameterError: There is no folder .*nothing"),
        (("create", "{tmp}/s", "movies"), "'movies' does not have the form name=value"),
        (("create", "{tmp}/s", "movies={tmp}", "movies={tmp}"), "movies is given twice"),
        (("status", "{tmp}/none"), "SessionMissing: There is no .*none"),
        (("start", "{tmp}"), "SessionMissing: .* is not a session"),
        (("apply", "import_micrographs", "{tmp}/none.mrc"), "ParameterError: File not found: .*none.mrc"),
        (("launch", "--template", "{tmp}/nothing.json"), "WorkflowError: There is no workflow .*nothing.json"),
        (("workflows", "nothing"), "WorkflowError: There is no workflow 'nothing'"),
        (("simulate", "{tmp}/m", "--fault", "fire"), "Unknown fault: fire. Known faults: slow_writer"),
    ],
)
def test_what_is_wrong_is_a_sentence(emlab: Emlab, tmp_path: Path, arguments: tuple[str, ...], complaint: str) -> None:
    with pytest.raises(SystemExit, match=complaint):
        emlab(*(argument.format(tmp=tmp_path) for argument in arguments))


def test_a_page_that_does_not_start_says_why(emlab: Emlab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(SystemExit, match=f"Port {port} of this machine cannot be used .* Give another with --port"):
            emlab("launch", "--sessions", tmp_path, "--port", port)
    program = "import sys; print('begun', file=sys.stderr); sys.exit('no more memory')"
    monkeypatch.setattr("emlab.cli.page.python_module", lambda *_: [sys.executable, "-c", program])
    with pytest.raises(SystemExit, match="did not start: exit code 1. Its log ends with:\nbegun\nno more memory"):
        emlab("launch", "--sessions", tmp_path)


def test_a_session_that_runs_says_which_options_are_not_applied(
    emlab: Emlab, tmp_path: Path, micrographs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = tmp_path / "session"
    emlab("create", session, "--workflow", "micrographs", f"micrographs={micrographs}", "voltage=300")
    with pytest.raises(SystemExit, match="ParameterError: .* gpus is 'x'; expected GPU indices"):
        emlab("start", session, "--gpus", "x")
    monkeypatch.setattr("emlab.session.is_locked", lambda path: True)
    monkeypatch.setattr("emlab.session.send_command", lambda path, command: {"state": "running"})
    for command in ("start", "resume"):
        said = emlab(command, session, "--workers", 2, "--time-limit", 60)
        assert "the new workers, time_limit is not applied. To apply it, stop with `emlab stop --now`" in said
    assert "applied" not in emlab("start", session)


def test_apply_prints_a_record_per_file_and_goes_on_after_a_bad_one(
    emlab: Emlab, tmp_path: Path, micrographs: Path
) -> None:
    bad = micrographs / "bad.mrc"
    bad.write_bytes(b"this is not an image" * 100)
    files = [micrographs / "micrograph_0.mrc", bad, micrographs / "micrograph_1.mrc"]
    spectrum = Path(shutil.copy(files[0], micrographs / "micrograph_0_PS.mrc"))
    with pytest.raises(SystemExit) as ended:
        emlab("apply", "import_micrographs", *files, spectrum, "--voltage", "200", "--out", tmp_path / "out")
    said = " ".join(str(ended.value.code).split())
    assert "Skipped micrograph_0_PS.mrc, which motion correction writes beside a micrograph." in said
    lines = [json.loads(line) for line in str(ended.value.code).splitlines() if line.startswith("{")]
    assert [line["input"] for line in lines] == [str(file) for file in files]
    assert [line.get("error") for line in lines] == [None, "FormatError", None]
    assert (lines[0]["voltage"], lines[0]["pixel_size"], lines[0]["width"]) == (200, 1.5, 64)
    assert Path(lines[0]["thumbnail"]).is_file()
    assert "bad.mrc" in lines[1]["message"]


def test_apply_reads_movies(emlab: Emlab, tmp_path: Path) -> None:
    write_mrc_movie(tmp_path / "movie.mrcs", np.ones((4, 32, 48), np.uint8), 1.2)
    out = tmp_path / "out"
    (line,) = emlab("apply", "import_movies", tmp_path / "movie.mrcs", "--voltage", 300, "--out", out).splitlines()
    record = json.loads(line)
    assert (record["frames"], record["height"], record["width"]) == (4, 32, 48)
    assert record["pixel_size"] == pytest.approx(1.2)
    assert record["seconds"] >= 0


def test_every_workflow_shows_what_it_asks_for(emlab: Emlab) -> None:
    text = emlab("workflows")
    assert "screening" in text
    assert "micrographs" in text
    assert "gain_reference" in emlab("workflows", "screening")


def test_a_template_is_filled_without_a_browser(
    emlab: Emlab, tmp_path: Path, micrographs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "aligned.json.template").write_text(
        "Micrographs of our Krios.\n"
        '[{"object.className": "ProtImportMicrographs", "object.id": "1", "filesPath": "~Folder|/none|2|path~",'
        ' "filesPattern": "*.mrc", "voltage": ~Voltage|300|4|volt~, "dataStreaming": true, "timeout": "2h"},'
        ' {"object.className": "ProtMonitorSystem", "object.id": "2", "object.label": "system"}]'
    )
    text = emlab("template", "aligned.json.template", f"path={micrographs}", "volt=200", "--no-start")
    assert "system (ProtMonitorSystem) is left out" in " ".join(text.split())
    (session,) = (tmp_path / "sessions").iterdir()
    assert session.name.endswith("-micrographs")
    with open_session(session) as opened:
        assert opened.state == "created"
        assert (opened.runs[0].parameters["voltage"], opened.runs[0].parameters["idle_timeout"]) == (200, 7200)
    with pytest.raises(SystemExit, match=r"volt \(Voltage\): It must be at least 10 and at most 3,000 kV."):
        emlab("template", "aligned.json.template", f"path={micrographs}", "volt=2")


def test_a_template_that_cannot_be_used_does_not_hide_the_others(
    emlab: Emlab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMLAB_TEMPLATES", str(tmp_path))
    (tmp_path / "broken.json").write_text("{")
    text = " ".join(emlab("workflows").split())
    assert "broken cannot be used:" in text
    assert "screening" in text


def test_doctor_looks_around(emlab: Emlab, tmp_path: Path) -> None:
    text = emlab("doctor", tmp_path)
    for subject in ("Python", "CPU", "Memory", "Disk", "GPU"):
        assert subject in text


def test_the_simulator_names_its_faults() -> None:
    from emlab.cli.simulate import FAULTS
    from emlab.simulation import Fault

    assert FAULTS.split(", ") == list(Fault)


def test_an_export_names_its_files_and_what_comes_next(emlab: Emlab, invented: Any) -> None:
    invented.add(range(2))
    for number in range(2):
        write_mrc(invented.path / f"item_{number}.mrc", np.zeros((8, 8), np.float32), 0.8)
    printed = emlab("export", invented.path, "--all")
    assert printed.split() == [
        str(invented.path / "relion" / f"{name}.star") for name in ("micrographs", "micrographs_ctf")
    ]


def test_what_was_given_up_is_listed_and_tried_again(emlab: Emlab, invented: Any) -> None:
    invented.add(range(2))
    for number in range(2, 14):
        invented.fail(number, "align", "the [server] was away")
    invented.end("stopped", "stopped")
    told = " ".join(emlab("status", invented.path).split())
    assert "failed 2 earlier ones are not shown" in told
    assert "failed align item_13: the [server] was away" in told
    assert "retry them: emlab retry" in told
    assert "1 item will be retried." in emlab("retry", invented.path, "align", "item_3")
    assert emlab("retry", invented.path).startswith("11 items will be retried.\nTo continue: emlab resume")
    assert "failed align" not in emlab("status", invented.path)
    assert emlab("retry", invented.path) == "No failed items.\n"


def test_an_alarm_is_acknowledged_and_every_micrograph_printed(emlab: Emlab, invented: Any) -> None:
    invented.add(range(6))
    assert "Acquisition: No new file" in emlab("status", invented.path)
    invented.release()
    with pytest.raises(SystemExit, match="There is no alarm 'Weather'; there are: Engine, Disk"):
        emlab("acknowledge", invented.path, "Weather")
    assert "Engine: The engine ended" in emlab("status", invented.path)
    emlab("acknowledge", invented.path, "Engine")
    assert "Engine (acknowledged): The engine ended" in emlab("status", invented.path)
    header, *rows = emlab("table", invented.path).splitlines()
    assert header.startswith("name,acquired_at,")
    assert [row.partition(",")[0] for row in rows] == [f"item_{number}" for number in range(6)]


def test_lessons_are_copied_and_never_over_one_s_own(emlab: Emlab, tmp_path: Path) -> None:
    copies = emlab("lessons", tmp_path / "mine").split()
    assert [Path(copy).stem[:1] for copy in copies] == ["1", "2", "3", "4"]
    assert all(Path(copy).is_file() for copy in copies)
    with pytest.raises(SystemExit, match=r"1_first_session.ipynb already exists"):
        emlab("lessons", tmp_path / "mine")
