"""What the live view costs: a new micrograph in a session of many, as it appears in a real browser, panel by panel."""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import Page, WebSocket, sync_playwright

from benchmarks.length.filled import FilledSession

CHECKS = {
    "Overview": "document.querySelector('.emlab-chart-plot')?.getAttribute('aria-label')?.includes(`${count} points`)",
    "CTF": "[...document.querySelectorAll('.emlab-chart-plot')].at(-1).offsetParent !== null",
    "Motion": "true",
    "Acquisition": "true",
    "Gallery": "document.querySelector('.emlab-gallery img')?.alt === key",
    "Grid": "document.querySelectorAll('.emlab-plot .bqplot .dot').length > 0",
    "Table": "document.querySelector('.emlab-table td button')?.textContent === key",
    "Selection": "document.querySelector('.emlab-kept')?.textContent.includes(`of ${count}`)",
    "System": "true",
    "Problems": "true",
}
"""What shows that a panel has drawn the newest micrograph, beside that the panel of the micrograph shows it."""
ARRIVED = """([count, key, check]) => document.querySelector('.emlab-viewer h3')?.textContent.includes(key)
    && document.querySelector('.emlab-card.emlab-ctf b')?.textContent === count && eval(check)"""
PAN = """async () => {
    const { panel } = document.querySelector('.emlab-chart-plot').chart, [from, to] = panel.range();
    const begun = performance.now();
    for (let step = 0; step < 60; step++) {
        panel.show([from + step * 150, to + step * 150 - 20000]);
        await new Promise(requestAnimationFrame);
    }
    const took = performance.now() - begun;
    panel.show(0);
    return took / 60;
}"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be chosen."""
    parser.add_argument("--items", type=int, default=20_000)
    parser.add_argument("--new", type=int, default=5, help="micrographs that come while a panel is open")


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Open the live view of a large session, and let micrographs come."""
    items = 500 if arguments.quick else arguments.items
    with tempfile.TemporaryDirectory() as folder:
        session = FilledSession(Path(folder) / "session", items)
        with _page(session.path) as (page, address, server):
            wire = _Wire(page)
            # While the server still starts; and as everyone finds it who comes later.
            figures: dict[str, Any] = {"items": items, "first_open_seconds": _open(page, address, items)}
            page.goto("about:blank")
            page.wait_for_timeout(5000)
            wire.take()
            figures |= {"open_seconds": _open(page, address, items), "open_kb": wire.take()}
            kernel = _Kernel(server)
            figures["open_kernel_cpu_seconds"] = kernel.busy()
            figures |= _pan(page)
            worst: dict[str, list[float]] = {"seconds": [], "kernel_ms": [], "wire_kb": []}
            for name, check in CHECKS.items():
                page.get_by_role("button", name=name, exact=False).first.click()
                page.wait_for_timeout(3000)
                measured = _measure(page, session, wire, kernel, check, arguments.new)
                for unit, value in measured.items():
                    figures[f"{name.lower()}_{unit}"] = value
                    worst[unit].append(value)
            figures |= {f"worst_{unit}": max(values) for unit, values in worst.items()}
        session.close()
    return figures


def _open(page: Page, address: str, items: int) -> float:
    """Seconds until every point is there."""
    begun = time.monotonic()
    page.goto(address, wait_until="commit", timeout=120_000)
    page.wait_for_function(CHECKS["Overview"].replace("${count}", f"{items:,}"), timeout=120_000)
    return time.monotonic() - begun


def _measure(
    page: Page, session: FilledSession, wire: _Wire, kernel: _Kernel, check: str, new: int
) -> dict[str, float]:
    """Let micrographs come one by one; the medians of what each cost."""
    seconds, busy, sent = [], [], []
    for _ in range(new):
        page.wait_for_timeout(1500)
        wire.take()
        before = kernel.busy()
        begun = time.monotonic()
        session.add(1)
        page.wait_for_function(ARRIVED, arg=[f"{session.count:,}", session.newest, check], timeout=60_000)
        seconds.append(time.monotonic() - begun)
        page.wait_for_timeout(300)
        busy.append(kernel.busy() - before)
        sent.append(wire.take())
    return {
        "seconds": statistics.median(seconds),
        "kernel_ms": 1e3 * statistics.median(busy),
        "wire_kb": statistics.median(sent),
    }


def _pan(page: Page) -> dict[str, float]:
    """Move along time: how long a frame takes, and what it costs the page's main thread (CPU time)."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("Performance.enable", {"timeDomain": "threadTicks"})

    def busy() -> float:
        return {one["name"]: one["value"] for one in devtools.send("Performance.getMetrics")["metrics"]}["TaskDuration"]

    before = busy()
    frame = page.evaluate(PAN)
    return {"pan_ms": 1e3 * (busy() - before) / 60, "pan_frame_ms": frame}


class _Wire:
    """What comes over the page's web sockets."""

    def __init__(self, page: Page) -> None:
        self._bytes = 0
        page.on("websocket", self._listen)

    def take(self) -> float:
        """kB since the last call."""
        taken, self._bytes = self._bytes, 0
        return taken / 1e3

    def _listen(self, socket: WebSocket) -> None:
        socket.on("framereceived", self._count)

    def _count(self, frame: str | bytes) -> None:
        self._bytes += len(frame)


class _Kernel:
    """The page's kernel."""

    def __init__(self, server: int) -> None:
        # The page's kernel is a copy of the process that imports what kernels need.
        copies = (copy for child in psutil.Process(server).children() for copy in child.children())
        self._process = max(copies, key=psutil.Process.create_time)

    def busy(self) -> float:
        """CPU seconds of all its threads so far, to the nanosecond as Linux counts them."""
        tasks = Path(f"/proc/{self._process.pid}/task").iterdir()
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


@contextmanager
def _page(session: Path) -> Iterator[tuple[Page, str, int]]:
    """A browser's page, the live view's address, and its server's process."""
    command = [sys.executable, "-m", "emlab_widgets", str(session)]
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            assert server.stdout is not None
            address = server.stdout.readline().strip()
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path=chromium, args=["--no-sandbox", "--disable-gpu", "--no-first-run"]
                )
                page = browser.new_page(viewport={"width": 1440, "height": 900})
                yield page, address, server.pid
                browser.close()
        finally:
            server.kill()  # asked to end while a kernel starts, it may never do
