"""Knowing which of the files that appear in a folder are complete."""

from emlab.engine.watcher.report import Report
from emlab.engine.watcher.watcher import Watcher

__all__ = ["Report", "Watcher"]
