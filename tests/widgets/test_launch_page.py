"""The launch form in a real browser: filled wrongly and rightly, loaded again, started, and nothing else possible."""

from __future__ import annotations

import json
import os
import re
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, Route, expect

from emlab.formats.mrc import write_mrc_movie
from emlab.monitors.notices import chosen
from emlab.session import open_session

pytestmark = pytest.mark.browser


@pytest.fixture
def movies(tmp_path: Path) -> Path:
    """A folder with two small movies of noise, in which something drifts."""
    noise = np.random.default_rng(1).poisson(4, (6, 128, 128))
    for number in range(2):
        write_mrc_movie(tmp_path / f"movie_{number}.mrcs", (noise + number).astype(np.uint8), 1.2)
    return tmp_path


def test_a_page_that_found_no_widgets_is_loaded_again(pages: Any, page: Page) -> None:
    page.add_init_script(
        """addEventListener("DOMContentLoaded", () => {
            const first = performance.getEntriesByType("navigation")[0].type === "navigate";
            const said = document.createElement("p");
            said.className = "jupyter-widgets";
            said.textContent = "Error displaying widget: model not found";
            if (first) document.body.append(said);
        })"""
    )
    page.goto(pages.launch, wait_until="commit")
    expect(page.get_by_role("button", name="Start session")).to_be_visible()
    assert page.evaluate("performance.getEntriesByType('navigation')[0].type") == "reload"


def test_a_page_whose_server_missed_what_the_kernel_shows_is_loaded_again(pages: Any, page: Page) -> None:
    shown = re.compile(r'<script type="application/vnd.voila.cell-output\+json">.*?</script>', re.DOTALL)

    def without(route: Route) -> None:
        whole = route.fetch()
        assert shown.search(whole.text())
        route.fulfill(response=whole, body=shown.sub("", whole.text()))

    page.route("**/launch.ipynb*", without, times=1)
    page.goto(pages.launch, wait_until="commit")
    expect(page.get_by_role("button", name="Start session")).to_be_visible()
    assert page.evaluate("performance.getEntriesByType('navigation')[0].type") == "reload"


def asked_to_execute(page: Page, code: str) -> str:
    """Send code to the page's kernel, then a harmless question; gives the kind of the first answer."""
    said: str = page.evaluate(
        """async (code) => {
            const kernels = await (await fetch("/api/kernels")).json();
            const kernel = kernels.reduce((one, other) => (one.last_activity > other.last_activity ? one : other));
            const socket = new WebSocket(`ws://${location.host}/api/kernels/${kernel.id}/channels?session_id=mine`);
            await new Promise(opened => socket.onopen = opened);
            const message = (id, type, content) => socket.send(JSON.stringify({channel: "shell", content, buffers: [],
                parent_header: {}, metadata: {}, header: {msg_id: id, msg_type: type, username: "", session: "mine",
                version: "5.3", date: new Date().toISOString()}}));
            const answer = new Promise(heard => socket.onmessage = ({data}) => {
                const found = JSON.parse(data);
                if (found.channel === "shell" && found.parent_header.session === "mine") heard(found.msg_type);
            });
            message("code", "execute_request", {code, silent: false, store_history: false, allow_stdin: false});
            message("asked", "kernel_info_request", {});
            return answer;
        }""",
        code,
    )
    return said


def end_at_once(session: Path) -> None:
    """Kill a session's engine, with its workers."""
    owner = (session / "lock").read_text()
    os.killpg(int(re.findall(r"\d+", owner)[0]), signal.SIGKILL)


def test_a_session_is_started_from_the_form_and_steered_from_its_live_view(
    pages: Any, movies: Path, page: Page, complaints: list[str]
) -> None:
    sessions = pages.sessions
    page.goto(pages.launch)
    start = page.get_by_role("button", name="Start session")
    expect(start).to_be_disabled()
    expect(page.get_by_text("Movie folder: Give a folder.")).to_be_visible()

    page.get_by_label("Movie folder").fill(str(movies / "none"))
    expect(page.get_by_role("alert").filter(has_text="There is no such folder.")).to_be_visible()
    page.get_by_label("Movie folder").fill(str(movies))
    expect(page.get_by_text("2 movies, newest")).to_contain_text("128×128×6, MRC")
    expect(page.get_by_text("Read from the file's header")).to_be_visible()
    page.get_by_label("Voltage").fill("3")
    expect(page.get_by_role("alert")).to_have_text("It must be at least 10 and at most 3,000 kV.")
    page.get_by_label("Voltage").fill("300")
    expect(start).to_be_enabled()

    page.get_by_label("Template").select_option("Aligned micrographs: CTF, selection")
    expect(page.get_by_label("Micrograph folder")).to_have_value(str(movies))
    expect(page.get_by_label("Voltage")).to_have_value("300")
    page.get_by_label("Template").select_option("Movies: motion, CTF, selection")
    expect(page.get_by_label("Movie folder")).to_have_value(str(movies))
    page.get_by_label("Session name").fill("grid 1")
    expect(page.get_by_text(f"In {sessions / 'grid 1'}")).to_be_visible()
    page.get_by_label("Send alarms to night").check()
    page.wait_for_function("""localStorage["emlab-launch"].includes('"told": ["night"]')""")
    page.reload()
    expect(page.get_by_label("Voltage")).to_have_value("300")
    expect(page.get_by_label("Send alarms to night")).to_be_checked()
    expect(page.get_by_label("Session name")).to_have_value("grid 1")
    expect(page.get_by_label("Movie folder")).to_have_value(str(movies))
    # The page that goes does not wait for the answer to its last request.
    complaints[:] = [text for text in complaints if "/voila/api/shutdown/" not in text]

    assert asked_to_execute(page, f"open({str(movies / 'proof')!r}, 'w').close()") == "kernel_info_reply"
    assert not (movies / "proof").exists()

    start.click()
    page.wait_for_url("**/monitor.ipynb?session=grid%201")
    try:
        with open_session(sessions / "grid 1") as session:
            assert session.is_running
            assert session.runs[0].parameters["voltage"] == 300
            assert chosen(session.path) == ["night"]
        state = page.get_by_role("heading", name="grid 1").locator(".emlab-badge")
        expect(state).to_have_text("Running")
        page.get_by_role("button", name="Pause").click()
        expect(state).to_have_text("Paused")
        end_at_once(sessions / "grid 1")
        page.get_by_role("button", name="Restart").click()
        expect(state).to_have_text("Running")
        page.get_by_role("button", name="End session").click()
        page.get_by_role("button", name="No", exact=True).click()
        page.get_by_role("button", name="End session").click()
        page.get_by_role("button", name="Yes, end it").click()
        expect(page.get_by_role("button", name="Look for more")).to_be_visible()
        expect(state).to_have_text("Finished")
    except BaseException:
        with suppress(OSError):  # nobody waits for what it makes
            end_at_once(sessions / "grid 1")
        raise
    complaints[:] = [text for text in complaints if "/voila/api/shutdown/" not in text]


def test_whoever_has_the_token_can_use_the_pages_and_nothing_else(pages: Any, page: Page) -> None:
    page.goto(pages.launch.replace("launch.ipynb", "none.ipynb"))
    ask = """async ([method, path, body]) => {
        const token = document.cookie.match(/_xsrf=([^;]+)/)?.[1] ?? "";
        const headers = {"X-XSRFToken": token};
        return (await fetch(path, {method, headers, body: body && JSON.stringify(body)})).status;
    }"""
    notebook = {"type": "notebook", "format": "json", "content": json.loads(Path("notebooks/launch.ipynb").read_text())}
    refused = [
        ("PUT", "/api/contents/mine.ipynb", notebook),
        ("GET", "/api/contents/launch.ipynb", None),
        ("GET", "/files/launch.ipynb", None),
        ("POST", "/api/kernels", {}),
        ("POST", "/api/sessions", {}),
        ("POST", "/api/shutdown", {}),
        ("GET", "/nbconvert/html/launch.ipynb", None),
    ]
    assert {path: page.evaluate(ask, list(request)) for request in refused for path in [request[1]]} == {
        path: 403 for _, path, _ in refused
    }
    assert page.evaluate(ask, ["GET", "/api/kernels", None]) == 200
