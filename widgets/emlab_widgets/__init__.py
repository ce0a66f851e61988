"""Live monitors and reports of emlab sessions for JupyterLab, Voila and the browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from emlab_widgets.page import session_of_page

if TYPE_CHECKING:
    from emlab_widgets.form import launch
    from emlab_widgets.panels.monitor import monitor
    from emlab_widgets.report import Report

__all__ = ["Report", "launch", "monitor", "session_of_page"]


def __getattr__(name: str) -> Any:
    """Import the widgets when they are first asked for: the page's server starts without them."""
    if name == "monitor":
        from emlab_widgets.panels.monitor import monitor

        return monitor
    if name == "launch":
        from emlab_widgets.form import launch

        return launch
    if name == "Report":
        from emlab_widgets.report import Report

        return Report
    raise AttributeError(f"module 'emlab_widgets' has no attribute {name!r}")
