"""Whatever a name says, a page shows it as text: of files, sets, runs and folders, in events, failures and notes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from emlab.report import write_report

pytestmark = pytest.mark.browser

EVIL = "<img src=x onerror='window.owned=1'><script>window.owned=1</script>\"'&"
FOLDER = "<img src=x onerror='window.owned=1'>"
PANELS = ("Overview", "CTF", "Motion", "Acquisition", "Gallery", "Grid", "Table", "Selection", "System", "Problems")
OWNED = "window.owned === 1 || document.querySelectorAll('img[src=x]').length > 0"


def filled(invent: Any, folder: Path) -> Any:
    """A session in which everything that can be named is called like markup."""
    invented = invent(folder)
    with invented.ledger.transaction():
        invented.ledger.set_meta("name", EVIL)
        for number in range(6):
            for run in ("arrive", "import", "align", "ctf", "select"):
                record = replace(invented.made(run, number, True), key=f"{EVIL}{number}")
                marked = {"reason": EVIL, "warning": EVIL, "path": f"/data/{EVIL}{number}.mrc"}
                invented.append(
                    replace(record, **{name: text for name, text in marked.items() if hasattr(record, name)})
                )
        invented.ledger.add_event("error", EVIL, "align", f"{EVIL}0")
        what = {"attempt": 3, "final": True, "error": EVIL, "message": EVIL, "traceback": EVIL}
        invented.ledger.add_failure("align", f"{EVIL}9", **what)
        invented.ledger.add_judgement(f"{EVIL}1", "rejected", EVIL, EVIL)
        invented.ledger.add_judgement(f"{EVIL}2", "noted", EVIL, EVIL)
    return invented


@pytest.fixture
def hostile(invent: Any, tmp_path: Path) -> Iterator[Any]:
    invented = filled(invent, tmp_path / FOLDER)
    yield invented
    invented.close()


@pytest.fixture
def emptied() -> Iterator[Path]:
    """A folder for temporary files, in which nothing may be left; its path is short, for sockets."""
    with TemporaryDirectory(prefix="emlab-") as folder:
        yield Path(folder)
        assert list(Path(folder).iterdir()) == []


def test_the_live_view_shows_names_as_text(hostile: Any, page: Page, tmp_path: Path, emptied: Path) -> None:
    command = [sys.executable, "-m", "emlab_widgets", str(hostile.path)]
    with (
        (tmp_path / "log").open("w") as log,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=log, env={**os.environ, "TMPDIR": str(emptied)}
        ) as server,
    ):
        try:
            page.goto(server.stdout.readline().decode().strip(), wait_until="commit")
            expect(page.locator(".emlab-card.emlab-ctf b")).to_have_text("6")
            assert page.locator("h1").inner_text().startswith(EVIL)
            expect(page.locator(".emlab-viewer h3")).to_contain_text(f"{EVIL}5")
            for name in PANELS:
                page.get_by_role("button", name=name, exact=False).first.click()
                page.wait_for_timeout(400)
                assert not page.evaluate(OWNED), name
            expect(page.locator("main, body").first).to_contain_text(EVIL)
        finally:
            server.terminate()
            server.wait()


def test_the_report_and_a_comparison_show_names_as_text(hostile: Any, invent: Any, page: Page, tmp_path: Path) -> None:
    other = filled(invent, tmp_path / f"{FOLDER}2")
    for report in (write_report(hostile.path), write_report(hostile.path, compare=other.path)):
        assert report.parent == hostile.path / "report"
        page.goto(report.as_uri())
        expect(page.locator("h1").first).to_contain_text(EVIL)
        expect(page.locator(".bqplot").first).to_be_visible(timeout=60_000)
        for summary in page.locator("details").all():
            summary.evaluate("element => element.open = true")
        assert not page.evaluate(OWNED)
    other.close()
