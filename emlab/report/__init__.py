"""Notebooks executed and turned into one offline HTML file."""

from emlab.report.notebooks import notebook
from emlab.report.write import write_report

__all__ = ["notebook", "write_report"]
