"""``python widgets/live_view.py SESSION`` takes the picture of the live view that README.md shows.

It needs Chromium. The picture is kept small: a few levels of each colour are enough for a page.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import imagecodecs
import numpy as np
from playwright.sync_api import sync_playwright

from emlab.cli.view import served

LEVELS = 24
"""Of each colour."""
PICTURE = Path(__file__).with_suffix(".png")


def main() -> None:
    """Serve the session's live view, look at it, and write the picture."""
    with served(Path(sys.argv[1]), read_only=False) as (address, _), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1380, "height": 765})
        page.goto(address)
        page.get_by_text("Path of the specimen").last.wait_for(timeout=60_000)
        page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
        shot = imagecodecs.png_decode(page.screenshot())[..., :3]
        browser.close()
    few = np.rint(np.rint(shot / 255 * LEVELS) * 255 / LEVELS)
    PICTURE.write_bytes(imagecodecs.png_encode(few.astype(np.uint8), level=9))
    print(f"{PICTURE}: {PICTURE.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
