"""The live view in a real browser: points arrive as records do, and a click shows the micrograph."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


@pytest.fixture
def address(invented: Any, tmp_path: Path) -> Iterator[str]:
    """The address of the page of a session that has three micrographs."""
    invented.add(range(3), pictures=True)
    command = [sys.executable, "-m", "emlab_widgets", str(invented.path)]
    with (tmp_path / "log").open("w") as log, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log) as server:
        address = server.stdout.readline().decode().strip()
        try:
            assert address, (tmp_path / "log").read_text()
            yield address
        finally:
            server.terminate()
            server.wait()


def test_points_arrive_and_a_click_shows_their_micrograph(
    invented: Any, address: str, page: Page, complaints: list[str]
) -> None:
    elsewhere = []
    page.on("request", lambda request: elsewhere.append(request.url) if "//127.0.0.1:" not in request.url else None)
    page.goto(address, wait_until="commit")
    defocus = page.get_by_role("img", name="Defocus over time")
    expect(defocus).to_have_attribute("aria-label", re.compile("3 points, median 1.00 µm"), timeout=60_000)
    expect(page.locator(".emlab-viewer h3")).to_contain_text("item_2")

    invented.add(range(3, 8), pictures=True)
    expect(defocus).to_have_attribute("aria-label", re.compile("8 points"), timeout=20_000)
    expect(page.locator(".emlab-viewer h3")).to_contain_text("item_7")
    expect(page.locator(".emlab-card.emlab-ctf b")).to_have_text("8")

    x, y = defocus.evaluate("plot => plot.chart.place(1)")
    defocus.locator(".u-over").click(position={"x": x, "y": y})
    expect(page.locator(".emlab-viewer h3")).to_contain_text("item_1")
    pictures = page.locator(".emlab-viewer img")
    expect(pictures).to_have_count(2)
    assert pictures.first.evaluate("image => image.naturalWidth") == 200
    defocus.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".emlab-viewer h3")).to_contain_text("item_2")
    page.get_by_role("button", name="Motion").click()
    motion = page.get_by_role("img", name="Early motion over time")
    expect(motion).to_have_attribute("aria-label", re.compile("8 points"))
    page.reload(wait_until="commit")
    expect(motion).to_have_attribute("aria-label", re.compile("8 points"), timeout=60_000)
    page.wait_for_function("fetch('/api/kernels').then(all => all.json()).then(all => all.length === 1)")
    # The page that goes does not wait for the answer to its last request.
    complaints[:] = [text for text in complaints if "/voila/api/shutdown/" not in text]
    assert [url for url in elsewhere if not url.startswith(("data:", "blob:"))] == []


def test_without_the_token_there_is_no_page(address: str, page: Page) -> None:
    page.goto(address.partition("?")[0])
    expect(page.get_by_role("textbox", name="Password or token")).to_be_visible()
    assert page.locator(".emlab-monitor").count() == 0
