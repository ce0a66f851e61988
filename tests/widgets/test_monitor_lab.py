"""The live view in a cell of a real JupyterLab: drawn, clicked, used by keyboard, and there again after a reload."""

from __future__ import annotations

import json
import os
import re
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

# Menus are pressed before the kernel is there; the application tells when it is.
RUN_ALL = """async () => {
    const app = window.jupyterapp;
    await app.restored;
    let notebook;
    do {
        await new Promise((done) => setTimeout(done, 50));
        notebook = app.shell.currentWidget;
    } while (!notebook?.sessionContext);
    await notebook.context.ready;
    await notebook.sessionContext.ready;
    await notebook.sessionContext.session.kernel.info;
    return await app.commands.execute("notebook:run-all-cells");
}"""


@pytest.fixture
def lab(invented: Any, tmp_path: Path) -> Iterator[str]:
    """The address of a notebook in a JupyterLab of its own, with a cell that shows a session of five micrographs."""
    invented.add(range(5), pictures=True)
    source = f"import emlab\nfrom emlab_widgets import monitor\nmonitor(emlab.open_session({str(invented.path)!r}))"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    (tmp_path / "work").mkdir()
    nbformat.write(notebook, tmp_path / "work" / "look.ipynb")
    settings = tmp_path / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text(json.dumps({"fetchNews": "false"}))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_hex(8)
    options = {
        "ServerApp.port": port,
        "ServerApp.root_dir": tmp_path / "work",
        "ServerApp.open_browser": False,
        "ServerApp.allow_root": True,
        "LabApp.expose_app_in_browser": True,
    }
    environment = {
        **os.environ,
        "JUPYTER_TOKEN": token,
        "JUPYTER_NO_CONFIG": "1",
        "JUPYTER_RUNTIME_DIR": str(tmp_path / "run"),
        "JUPYTERLAB_SETTINGS_DIR": str(tmp_path / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(tmp_path / "workspaces"),
    }
    command = [sys.executable, "-m", "jupyterlab", *(f"--{name}={value}" for name, value in options.items())]
    with (tmp_path / "log").open("w+") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            address = f"http://127.0.0.1:{port}/lab/tree/look.ipynb?token={token}"
            _await_answer(server, port, tmp_path / "log")
            yield address
        finally:
            # Asked to end, it waits for its kernels, on a busy machine for minutes; those end when it is gone.
            server.kill()
            server.wait()


def _await_answer(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Return when the server listens."""
    while server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=0.1).close()
        except OSError:
            continue
        else:
            return
    raise AssertionError(log.read_text())


def test_a_cell_shows_the_session_and_shows_it_again_after_a_reload(invented: Any, lab: str, page: Page) -> None:
    page.goto(lab, wait_until="commit")
    page.wait_for_function("window.jupyterapp")
    page.evaluate(RUN_ALL)
    cell = page.locator(".jp-OutputArea")
    plot = cell.get_by_role("img", name="Defocus over time")
    expect(plot).to_have_attribute("aria-label", re.compile("5 points"))
    invented.add(range(5, 7), pictures=True)
    expect(plot).to_have_attribute("aria-label", re.compile("7 points"))
    x, y = plot.evaluate("plot => plot.chart.place(2)")
    plot.locator(".u-over").click(position={"x": x, "y": y})
    expect(cell.locator(".emlab-viewer h3")).to_contain_text("item_2")
    # Keys are the view's, and not JupyterLab's: arrows would lead to another cell, and Enter into the text of this one.
    plot.focus()
    page.keyboard.press("ArrowRight")
    expect(cell.locator(".emlab-viewer h3")).to_contain_text("item_3")
    cell.get_by_role("button", name="Previous").press("Enter")
    expect(cell.locator(".emlab-viewer h3")).to_contain_text("item_2")
    cell.get_by_role("button", name="Grid").press("Enter")
    cell.get_by_role("listbox", name="Holes").press("ArrowUp")
    cell.get_by_role("listbox", name="Holes").press("Enter")
    expect(cell.locator(".emlab-viewer h3")).to_contain_text("item_3")
    cell.get_by_role("button", name="Overview").press("Enter")
    page.evaluate("window.jupyterapp.commands.execute('docmanager:save')")
    page.reload(wait_until="commit")
    # The cell is not run again: its kernel goes on, and the page that came back has all that it missed.
    expect(plot).to_have_attribute("aria-label", re.compile("7 points"))
    expect(cell.locator(".emlab-viewer h3")).to_contain_text("item_3")
    invented.add(range(7, 8))
    expect(plot).to_have_attribute("aria-label", re.compile("8 points"))
