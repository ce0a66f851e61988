"""Form and live view, light and dark, wide and narrow: axe finds nothing serious."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.widgets.test_averages import add_batch

pytestmark = pytest.mark.browser


def test_the_form(pages: Any, page: Page, inaccessible: Any) -> None:
    page.goto(pages.launch)
    expect(page.get_by_role("button", name="Start session")).to_be_disabled()
    assert inaccessible() == []


@pytest.fixture
def session(pages: Any, invent: Any) -> Iterator[Any]:
    """A session with something in every panel."""
    session = invent(pages.sessions / "accessible")
    session.add(range(12), pictures=True)
    session.add_particles(range(12))
    with session.ledger.transaction():
        session.add_run("classify", "classify_particles", ("particles",), {"classes": "classes"}, batch_size=1000)
    add_batch(session, 1)
    session.fail(12, "align", "item_12.tiff ends after 31 of 40 frames.")
    yield session
    session.close()


@pytest.mark.usefixtures("session")
def test_every_panel_of_the_live_view(pages: Any, page: Page, inaccessible: Any) -> None:
    page.goto(pages.monitor("accessible"), wait_until="commit")
    panels = page.get_by_role("navigation", name="Panels").get_by_role("button")
    expect(panels.first).to_be_visible()
    assert inaccessible() == []
    assert {"Particles", "2D classes"} < set(panels.all_inner_texts())
    for panel in panels.all()[1:]:
        panel.click()
        expect(panel).to_have_attribute("aria-current", "true")
        expect(page.locator(".emlab-room > *:visible")).to_have_count(1)
        assert inaccessible(".emlab-room") == [], panel.inner_text()
