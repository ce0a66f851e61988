"""Where tasks are computed."""

from emlab.engine.executors.executor import Executor
from emlab.engine.executors.inline import InlineExecutor
from emlab.engine.executors.local import LocalExecutor

__all__ = ["Executor", "InlineExecutor", "LocalExecutor"]
