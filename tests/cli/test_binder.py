"""What binder/ runs, run here: a session comes to its end, and the pages know where it is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from emlab.session import open_session

ROOT = Path(__file__).parents[2]


def run(home: Path, *command: str) -> str:
    environment = {
        **os.environ,
        "HOME": str(home),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "EMLAB_DEMO_MOVIES": "1",
        "EMLAB_DEMO_PACE": "0",
    }
    environment.pop("EMLAB_SESSIONS", None)
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_image_is_built_from_what_is_there(tmp_path: Path) -> None:
    assert "Python" in run(tmp_path, str(ROOT / "binder/postBuild"))
    for line in (ROOT / "binder/requirements.txt").read_text().splitlines():
        option, _, name = line.partition(" ")
        base = ROOT / "binder" if option == "--constraint" else ROOT
        assert (base / name.partition("[")[0]).exists()


def test_a_session_follows_the_microscope_when_the_image_starts(tmp_path: Path) -> None:
    # In place of Jupyter: it waits for what was left to run beside it, and tells what it was given.
    server = "import os; assert os.wait()[1] == 0; print(os.environ['EMLAB_SESSIONS'])"
    folder = run(tmp_path, str(ROOT / "binder/start"), sys.executable, "-c", server).strip()
    with open_session(Path(folder) / "session") as session:
        assert session.state == "finished"
        assert len(session["accepted"]) + len(session["rejected"]) == 1
    assert run(tmp_path, str(ROOT / "binder/start"), "echo", "again") == "again\n", "it is not started twice"
