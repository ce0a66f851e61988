"""Notebooks executed and turned into one offline HTML file."""

from emlab.report.notebooks import notebook
from emlab.report.run import NotebookRun, run_session_notebook
from emlab.report.write import write_report

__all__ = ["NotebookRun", "notebook", "run_session_notebook", "write_report"]
