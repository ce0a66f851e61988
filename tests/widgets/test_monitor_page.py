"""The live view in a real browser: points arrive as records do, and a click shows the micrograph."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from playwright.sync_api import Page, expect

import emlab
from emlab.sets import Ledger, Provenance

pytestmark = pytest.mark.browser


@pytest.fixture
def shown(pages: Any, invent: Any) -> Iterator[Any]:
    """A session of three micrographs, which the server shows as ``shown``."""
    session = invent(pages.sessions / "shown")
    session.add(range(3), pictures=True)
    yield session
    session.close()
    shutil.rmtree(session.path)


def test_points_arrive_and_a_click_shows_their_micrograph(
    pages: Any, shown: Any, page: Page, complaints: list[str]
) -> None:
    elsewhere = []
    page.on("request", lambda request: elsewhere.append(request.url) if "//127.0.0.1:" not in request.url else None)
    page.goto(pages.monitor("shown"), wait_until="commit")
    defocus = page.get_by_role("img", name="Defocus over time")
    expect(defocus).to_have_attribute("aria-label", re.compile("3 points, median 1.00 µm"))
    expect(page.locator(".emlab-viewer h3")).to_contain_text("item_2")

    shown.add(range(3, 8), pictures=True)
    expect(defocus).to_have_attribute("aria-label", re.compile("8 points"))
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
    for key, points in ("+++", 2), ("-", 4), ("0", 8):
        for press in key:
            page.keyboard.press(press)
        expect(defocus).to_have_attribute("aria-label", re.compile(f"{points} points"))
    page.get_by_role("button", name="Grid").click()
    holes = page.get_by_role("listbox", name="Holes")
    expect(holes.get_by_role("option", name="item_2: CTF resolution 3.2 Å")).to_have_attribute("aria-selected", "true")
    holes.focus()
    page.keyboard.press("ArrowUp")
    expect(holes.get_by_role("option", name="item_3")).to_have_attribute("aria-selected", "false")
    page.keyboard.press("Enter")
    expect(page.locator(".emlab-viewer h3")).to_contain_text("item_3")
    page.keyboard.press("ArrowDown")
    page.keyboard.press(" ")
    expect(page.locator(".emlab-viewer h3")).to_contain_text("item_2")
    page.get_by_role("button", name="Motion").click()
    motion = page.get_by_role("img", name="Early motion over time")
    expect(motion).to_have_attribute("aria-label", re.compile("8 points"))
    kernels = "fetch('/api/kernels').then(all => all.json()).then(all => all.length)"
    before = page.evaluate(kernels)
    page.reload(wait_until="commit")
    expect(motion).to_have_attribute("aria-label", re.compile("8 points"))
    expect(page.locator(".emlab-viewer h3")).to_contain_text("item_2")
    page.wait_for_function(f"count => {kernels}.then(now => now === count)", arg=before)
    # The page that goes does not wait for the answer to its last request.
    complaints[:] = [text for text in complaints if "/voila/api/shutdown/" not in text]
    assert [url for url in elsewhere if not url.startswith(("data:", "blob:"))] == []


def test_a_page_without_an_answer_says_so_goes_on_and_comes_back_when_its_kernel_is_gone(
    pages: Any, shown: Any, page: Page
) -> None:
    server = psutil.Process(pages.process)
    others = {process.pid for process in server.children(recursive=True)}
    page.goto(pages.monitor("shown"), wait_until="commit")
    expect(page.locator(".emlab-viewer h3")).to_contain_text("item_2")
    # The newest: a page that was loaded again has left one that ends.
    new = [one for one in server.children(recursive=True) if one.pid not in others]
    kernel = max(new, key=psutil.Process.create_time)
    said = page.locator(".emlab-pulse")
    kernel.suspend()
    # What it had said before may still be on its way: the page's clock runs until that is long ago, too.
    page.evaluate(
        """() => {
            const now = Date.now, start = now();
            window.hurry = () => Date.now = () => start + 30 * (now() - start);
            window.calm = () => { const ahead = Date.now() - now(); Date.now = () => now() + ahead; };
            hurry();
        }"""
    )
    expect(said).to_contain_text("the page may be out of date. It continues when the connection is back.")
    page.evaluate("calm()")
    shown.add(range(3, 4), pictures=True)
    kernel.resume()
    expect(said).to_have_text("")
    expect(page.locator(".emlab-viewer h3")).to_contain_text("item_3")

    kernel.suspend()
    page.route("**/api/kernels/*-*", lambda route: route.fulfill(status=404), times=1)
    with page.expect_navigation(wait_until="commit"):
        page.evaluate("hurry()")
    expect(page.locator(".emlab-viewer h3")).to_contain_text("item_3")
    with suppress(psutil.NoSuchProcess):  # the server may have ended it meanwhile
        kernel.resume()


def test_without_the_token_there_is_no_page(pages: Any, page: Page) -> None:
    page.goto(pages.launch.partition("?")[0].replace("launch", "monitor"))
    expect(page.get_by_role("textbox", name="Password or token")).to_be_visible()
    assert page.locator(".emlab-monitor").count() == 0


def test_a_brush_tells_what_it_keeps_and_is_applied(pages: Any, invented: Any, page: Page, tmp_path: Path) -> None:
    (tmp_path / "movies").mkdir()
    session = emlab.create_session(
        pages.sessions / "chosen", movies=tmp_path / "movies", voltage=300, pixel_size=0.8, max_ctf_resolution=6.0
    )
    ledger = Ledger(session.path / "session.db")
    with ledger.transaction():
        for number in range(20):
            for run in ("arrive", "import", "align", "ctf", "select"):
                record = invented.made(run, number, False)
                ledger.append(type(record).plural, record, Provenance(recorded_at=1.7e9))
    ledger.close()
    page.goto(f"{pages.monitor('chosen')}#Selection", wait_until="commit")
    kept = page.locator(".emlab-kept")
    expect(kept).to_contain_text("16 of 20")
    apply = page.get_by_role("button", name="Apply to the session")
    expect(apply).to_be_disabled()
    histogram = page.locator(".emlab-plot").filter(has_text="Defocus, distribution").locator(".bqplot")
    box = histogram.bounding_box()
    left, right = box["x"] + 70, box["x"] + box["width"] / 2
    page.mouse.move(left, box["y"] + 60)
    page.mouse.down()
    page.mouse.move((left + right) / 2, box["y"] + 60)
    page.mouse.move(right, box["y"] + 60)
    page.mouse.up()
    expect(kept).to_contain_text(re.compile(r"\b8 of 20|\b9 of 20|\b7 of 20"))
    expect(page.locator(".emlab-code code")).to_contain_text('session.change("select", min_defocus=')
    # The same without a mouse.
    limit = page.get_by_label("CTF resolution up to (Å)")
    expect(limit).to_have_value("6")
    limit.fill("5.5")
    limit.press("Tab")
    code = page.locator(".emlab-code code")
    expect(code).to_contain_text("max_ctf_resolution=5.5")
    drafted = code.inner_text()
    # Nothing of it is lost, and whoever gets the address sees it too.
    page.wait_for_function("location.hash.includes('max_ctf_resolution=5.5')")
    page.reload(wait_until="commit")
    expect(page.locator(".emlab-verdict")).to_contain_text("Not applied yet: CTF resolution ≤ 5.5 Å")
    expect(code).to_have_text(drafted)
    expect(limit).to_have_value("5.5")
    page.set_viewport_size({"width": 390, "height": 844})
    expect(page.get_by_role("button", name="Selection")).to_be_in_viewport()
    expect(kept).to_contain_text("would be kept")
    apply.press("Enter")
    expect(page.locator(".emlab-verdict")).to_contain_text("judges its earlier micrographs again: select-2.")
    assert [run.name for run in session.runs][-1] == "select-2"
    assert session.runs[-1].parameters["max_defocus"] < 11_500
    assert session.runs[-1].parameters["max_ctf_resolution"] == 5.5
    page.wait_for_function("location.hash === '#Selection'")
    session.close()
