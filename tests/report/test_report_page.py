"""The report is one file that opens without a network, draws its figures and sorts its table."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from emlab.report import write_report

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def report(invent: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The report of a session of 60 items, one of them failed."""
    invented = invent(tmp_path_factory.mktemp("report") / "session")
    invented.add(range(60), pictures=True)
    invented.add(range(60, 61), until="import")
    invented.fail(60, "align", "item_60.tiff ends after 31 of 40 frames. Copy it again. <img src=x onerror=alert(1)>")
    invented.end()
    yield write_report(invented.path)
    invented.close()


@pytest.fixture
def opened(report: Path, page: Page, complaints: list[str]) -> Page:
    page.context.set_offline(True)
    page.goto(report.as_uri())
    expect(page.locator(".bqplot")).to_have_count(4, timeout=30_000)
    return page


def test_the_figures_are_drawn_without_a_network(opened: Page) -> None:
    for name in ("Defocus U", "CTF resolution", "Total motion"):
        expect(opened.get_by_role("img", name=f"{name} over time: 60 points")).to_be_visible()
    bars = opened.locator(".emlab-plot").filter(has_text="CTF resolution, distribution").locator("rect.bar")
    assert sum(box["height"] > 1 for bar in bars.all() if (box := bar.bounding_box())) == 8


def test_the_header_counts_and_names_are_text_not_markup(opened: Page) -> None:
    assert opened.locator("h1").inner_text().startswith("Grid <b>7</b>")
    cards = {
        card.locator("span").inner_text(): card.locator("b").inner_text()
        for card in opened.locator(".emlab-card").all()
    }
    assert cards["Arrived"] == "61"
    assert cards["Accepted"] == "48"
    assert cards["Rejected"] == "12"
    assert cards["Failed"] == "1"
    expect(opened.locator(".emlab-troubles")).to_contain_text("31 of 40 frames. Copy it again. <img src=x")


def test_the_table_sorts_searches_pages_and_enlarges(opened: Page) -> None:
    table = opened.locator(".emlab-micrographs")
    resolution = table.locator("tbody tr td:nth-child(7)")
    table.get_by_role("button", name="Resolution (Å)").click()
    assert resolution.first.inner_text() == "3.00"
    table.get_by_role("button", name="Resolution (Å)").click()
    assert resolution.first.inner_text() == "9.00"
    expect(table.locator("th[aria-sort=descending]")).to_have_text("Resolution (Å)")
    table.get_by_role("button", name="Next").click()
    expect(table.get_by_role("status")).to_have_text("51–61 of 61")
    assert resolution.last.inner_text() == "–"
    table.get_by_role("searchbox").fill("rejected")
    expect(table.get_by_role("status")).to_have_text("1–12 of 12")
    picture = table.get_by_role("button", name="Spectrum and fit").first
    assert picture.locator("img").evaluate("image => image.naturalWidth") == 200
    picture.click()
    expect(opened.get_by_role("dialog")).to_be_visible()


def test_it_fits_a_phone(opened: Page) -> None:
    opened.set_viewport_size({"width": 390, "height": 800})
    opened.wait_for_function("document.querySelector('.bqplot').getBoundingClientRect().width < 390")
    assert opened.evaluate("document.documentElement.scrollWidth") == 390


def test_an_empty_session_has_a_report_that_says_what_will_appear(
    invented: Any, page: Page, complaints: list[str]
) -> None:
    page.context.set_offline(True)
    page.goto(write_report(invented.path).as_uri())
    expect(page.locator(".emlab-empty").first).to_be_visible()
    expect(page.get_by_text("Defocus appears here when the first CTF has been estimated.").first).to_be_visible()
    expect(page.locator("main")).to_contain_text("Waiting for the first file.")


def test_nothing_in_it_is_loaded_from_elsewhere(report: Path) -> None:
    text = re.sub(r"<script(?! src).*?</script>", "", report.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert re.findall(r'(?:src|href)="(?!data:|#)[^"]*"', text) == []
    assert "@import" not in text
