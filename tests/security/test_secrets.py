"""Secrets stay where they are: in the environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

import emlab
from emlab.formats.mrc import write_mrc

SECRETS = {
    "AWS_SECRET_ACCESS_KEY": "kV8-aws-secret",
    "RSYNC_PASSWORD": "kV8-rsync-secret",
    "EMLAB_SMTP_PASSWORD": "kV8-smtp-secret",
    "EMLAB_APPRISE_URLS": "mailto://user:kV8-apprise-secret@example.org",
    "JUPYTER_TOKEN": "kV8-token",
}


def test_secrets_of_the_environment_are_nowhere_in_a_session(tmp_path: Path) -> None:
    """A whole run with its notebook, report and publication."""
    images = tmp_path / "images"
    images.mkdir()
    for number in range(2):
        pixels = np.random.default_rng(number).normal(size=(64, 64)).astype(np.float32)
        write_mrc(images / f"image_{number}.mrc", pixels, 1.0)
        os.utime(images / f"image_{number}.mrc", (0, 0))
    values = {"folder": str(images), "pixel_size": 1.0, "voltage": 300, "settle_time": 0, "expected_count": 2}
    steps = [{"name": "import", "protocol": "import_micrographs", "parameters": values}]
    (tmp_path / "tiny.json").write_text(json.dumps({"name": "tiny", "title": "Tiny", "protocols": steps}))
    emlab.create_session(tmp_path / "session", tmp_path / "tiny.json").close()
    command = [sys.executable, "-m", "emlab", "run", str(tmp_path / "session")]
    command += ["--publish", str(tmp_path / "published")]
    environment = {**os.environ, **SECRETS, "XDG_RUNTIME_DIR": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=280, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "published" / "index.html").exists()
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {"session.db", "engine.log", "log.jsonl", "index.html"} <= {path.name for path in files}
    assert any(path.suffix == ".ipynb" for path in files)
    contents = {path: path.read_bytes() for path in files}
    for secret in SECRETS.values():
        assert [path for path, content in contents.items() if secret.encode() in content] == []
        assert secret not in done.stdout + done.stderr
