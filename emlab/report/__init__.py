"""Notebooks executed and turned into one offline HTML file."""

from emlab.report.look import TEMPLATE_VARIABLE, Look, read_look
from emlab.report.notebooks import lessons, notebook
from emlab.report.publish import check_target, publish
from emlab.report.run import NotebookRun, run_session_notebook
from emlab.report.settings import ReportSettings, change_settings, read_settings
from emlab.report.write import write_report

__all__ = [
    "TEMPLATE_VARIABLE",
    "Look",
    "NotebookRun",
    "ReportSettings",
    "change_settings",
    "check_target",
    "lessons",
    "notebook",
    "publish",
    "read_look",
    "read_settings",
    "run_session_notebook",
    "write_report",
]
