"""How processes of emlab's own are started."""

from __future__ import annotations

import sys


def python_module(name: str, *arguments: str) -> list[str]:
    """The command that runs a module with this Python.

    With ``-P``: else a ``code.py`` in the folder where emlab was started would be imported in place of Python's own.
    """
    return [sys.executable, "-P", "-m", name, *arguments]
