"""Live monitors and reports of emlab sessions for JupyterLab, Voila and the browser."""

from emlab_widgets.panels import monitor
from emlab_widgets.report import Report

__all__ = ["Report", "monitor"]
