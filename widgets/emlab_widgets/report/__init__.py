"""The report's sections."""

from emlab_widgets.report.report import Report

__all__ = ["Report"]
