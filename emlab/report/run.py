"""A session run and recorded by its notebook, in a process of its own."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emlab.errors import ProgramError
from emlab.python import python_module
from emlab.report.notebooks import notebook


class NotebookRun:
    """A notebook that is being executed.

    It goes on when this process ends, so that the record becomes whole all the same.

    Attributes
    ----------
    output
        The executed notebook, once it is there.
    """

    def __init__(self, source: Path, output: Path, parameters: Mapping[str, Any]) -> None:
        self.output = output
        output.parent.mkdir(parents=True, exist_ok=True)
        self._log = output.with_suffix(".log")
        command = python_module("emlab.report.execute", str(source), str(output), json.dumps(dict(parameters)))
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    def poll(self) -> int | None:
        """Give the exit status, or ``None`` while it is being executed."""
        return self._process.poll()

    def wait(self) -> int:
        """Wait for the end; gives the exit status."""
        return self._process.wait()

    def raise_for_failure(self) -> None:
        """Wait for the end, and raise if a cell failed.

        Raises
        ------
        ProgramError
            If the exit status is not 0.
        """
        if self.wait():
            lines = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            raise ProgramError("\n".join(lines[-8:]) or f"{self.output.name} ended with status {self.wait()}.")
        self._log.unlink(missing_ok=True)


def run_session_notebook(session: Path, parameters: Mapping[str, Any]) -> NotebookRun:
    """Run a session by its notebook, which starts it, follows it to its end and becomes its record.

    Parameters
    ----------
    parameters
        Of the notebook, beside ``session``: see `emlab.Session.start`.
    """
    output = session / "notebooks" / "session.ipynb"
    return NotebookRun(notebook("session"), output, {"session": str(session), **parameters})
