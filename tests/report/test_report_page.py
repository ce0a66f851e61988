"""The report is one file that opens without a network, draws its figures and sorts its table."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
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
    expect(page.locator(".bqplot")).to_have_count(4)
    return page


def test_the_figures_are_drawn_without_a_network(opened: Page) -> None:
    for name in ("Defocus U", "CTF resolution", "Total motion"):
        expect(opened.get_by_role("img", name=f"{name} over time: 60 points")).to_be_visible()
    plot = opened.locator(".emlab-plot").filter(has_text="CTF resolution, distribution")
    opened.wait_for_function(
        "plot => [...plot.querySelectorAll('rect.bar')].filter(bar => bar.getBBox().height > 1).length === 8",
        arg=plot.element_handle(),
    )


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
    dialog = opened.get_by_role("dialog")
    expect(dialog).to_contain_text("rejected: CTF resolution 9 Å is above the limit of 6 Å.")
    assert dialog.locator("img").count() == 2
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_have_count(0)


def test_the_table_is_narrowed_to_a_kind_and_saved(opened: Page) -> None:
    table = opened.locator(".emlab-micrographs")
    table.get_by_label("Which micrographs").select_option("Failed (1)")
    expect(table.locator("tbody tr")).to_have_count(1)
    expect(table.locator("tbody small")).to_contain_text("31 of 40 frames. Copy it again. <img src=x")
    with opened.expect_download() as download:
        table.get_by_role("button", name="Save as CSV").click()
    assert download.value.suggested_filename == "Grid_b_7_b_.csv"
    saved = pd.read_csv(download.value.path())
    assert saved["micrograph"].tolist() == ["item_60"]
    assert saved["remark"][0].startswith("item_60.tiff ends after 31 of 40 frames.")


def test_it_fits_a_phone(opened: Page) -> None:
    opened.set_viewport_size({"width": 390, "height": 800})
    opened.wait_for_function("document.querySelector('.bqplot').getBoundingClientRect().width < 390")
    assert opened.evaluate("document.documentElement.scrollWidth") == 390


def test_nothing_in_it_is_hard_to_read_or_to_reach_in_the_light_and_in_the_dark(
    opened: Page, inaccessible: Any
) -> None:
    assert inaccessible() == []


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
    assert re.findall(r'src="(?!data:)[^"]*"|<link[^>]*href="(?!data:)[^"]*"', text) == []
    assert set(re.findall(r'href="(?!data:|#)([^"]*)"', text)) == {
        f"https://doi.org/{doi}"
        for doi in (
            "10.1038/nmeth.4193",
            "10.1107/S205225251801463X",
            "10.1038/s41592-019-0580-y",
            "10.7554/eLife.06980",
            "10.1016/j.jsb.2015.08.008",
        )
    }
    assert "@import" not in text


def test_a_facility_s_logo_and_style_and_another_session_are_in_it(
    invented: Any, report: Path, tmp_path: Path, page: Page, complaints: list[str]
) -> None:
    invented.add(range(30, 50))
    (tmp_path / "logo.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" width="90" height="30"/>')
    (tmp_path / "style.css").write_text("h1 { color: rgb(1, 2, 3) !important; }")
    compared = write_report(invented.path, template=tmp_path, compare=report.parents[1])
    assert compared.name == "compared-with-session.html"
    page.context.set_offline(True)
    page.goto(compared.as_uri())
    expect(page.get_by_role("heading", name=", side by side")).to_be_visible()
    expect(page.locator(".emlab-comparison")).to_contain_text("20 micrographs on both sides")
    assert page.locator(".emlab-brand img").evaluate("image => image.naturalWidth") == 90
    assert page.locator("h1").evaluate("heading => getComputedStyle(heading).color") == "rgb(1, 2, 3)"
