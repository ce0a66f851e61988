"""emlab's tile in a real JupyterLab opens the form on the same server, for those who are logged in."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import emlab_widgets.lab
import pytest
from playwright.sync_api import Page, expect

_LAB = Path(emlab_widgets.lab.__file__).parent


def test_what_jupyter_looks_for_is_installed_where_it_looks() -> None:
    root = Path(__file__).parents[2]
    wheel = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    placed = wheel["shared-data"]
    assert all((root / source).exists() for source in placed)
    assert placed["widgets/emlab_widgets/lab/labextension"] == "share/jupyter/labextensions/emlab"
    config = json.loads((_LAB / "jupyter_server_config.json").read_text())
    assert config["ServerApp"]["jpserver_extensions"] == {"emlab_widgets.lab.server_extension": True}


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[str]:
    """The address of a JupyterLab of its own, with emlab as its wheel installs it."""
    places = {
        "share/labextensions/emlab": _LAB / "labextension",
        "share/voila": _LAB.parent / "share/jupyter/voila",
        "etc/jupyter_server_config.d/emlab.json": _LAB / "jupyter_server_config.json",
    }
    for place, source in places.items():
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).symlink_to(source)
    quiet = tmp_path / "settings/@jupyterlab/apputils-extension/notification.jupyterlab-settings"
    quiet.parent.mkdir(parents=True)
    quiet.write_text('{"fetchNews": "false"}')
    (tmp_path / "files").mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "JUPYTER_TOKEN": "secret",
        "JUPYTER_PATH": str(tmp_path / "share"),
        "JUPYTER_CONFIG_PATH": str(tmp_path / "etc"),
        "JUPYTERLAB_SETTINGS_DIR": str(tmp_path / "settings"),
        **{f"JUPYTER_{kind}_DIR": str(tmp_path / kind) for kind in ("CONFIG", "DATA", "RUNTIME")},
        "XDG_STATE_HOME": str(tmp_path / "state"),
    }
    options = ["--no-browser", "--allow-root", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    command = [sys.executable, "-m", "jupyterlab", *options, f"--ServerApp.root_dir={tmp_path / 'files'}"]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
    assert server.stderr is not None
    with server.stderr:
        said = []
        for line in server.stderr:
            said.append(line)
            if f"http://127.0.0.1:{port}/lab" in line:
                break
        else:
            pytest.fail("".join(said))
        # What it says from here on is read by nobody, and must not fill the pipe.
        drain = subprocess.Popen(["cat"], stdin=server.stderr, stdout=subprocess.DEVNULL)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            # Jupyter's server can wait for a thread of its own for ever, after it has shut down its kernels.
            server.kill()
            server.wait()
        drain.wait()


@pytest.mark.browser
def test_the_tile_opens_the_form(lab: str, page: Page) -> None:
    with urlopen(f"{lab}/emlab/launch.ipynb") as answer:
        assert "/login?next=" in answer.url
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.goto(f"{lab}/lab?token=secret")
    tile = page.locator(".jp-LauncherCard").filter(has_text="emlab")
    expect(tile).to_be_visible()
    with page.expect_popup() as opened:
        tile.click()
    form = opened.value
    assert form.url == f"{lab}/emlab/launch.ipynb"
    expect(form.get_by_role("button", name="Start session")).to_be_disabled()
    expect(form.get_by_text("Movie folder: Give a folder.")).to_be_visible()
    assert troubles == []
