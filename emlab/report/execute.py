"""Executing a notebook for a session."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path
from typing import Any

import nbformat
import papermill
import psutil
from traitlets.config import Config

from emlab.errors import EmlabError, ParameterError, ProgramError


def execute_notebook(source: Path, output: Path, parameters: Mapping[str, Any]) -> nbformat.NotebookNode:
    """Execute a notebook, write it to ``output`` with everything that it showed, and return it.

    Raises
    ------
    ParameterError
        If the notebook does not know one of the parameters.
    ProgramError
        If a cell fails; the notebook is written up to there.
    """
    known = papermill.inspect_notebook(str(source))
    if unknown := parameters.keys() - known.keys():
        raise ParameterError(
            f"The notebook {source.name} has no parameter {', '.join(sorted(unknown))}; there are: {', '.join(known)}."
        )
    output.parent.mkdir(parents=True, exist_ok=True)
    try:
        # The address of a kernel's socket has to be short.
        with tempfile.TemporaryDirectory(prefix="emlab-") as runtime, ThreadPoolExecutor(1) as thread:
            # In the main thread nbclient would take signals for itself, and leave a half of itself behind.
            executed = thread.submit(
                _executed,
                source,
                output,
                parameters=dict(parameters),
                kernel_name="python3",
                progress_bar=False,
                # Written once, at the end: each of papermill's saves costs what the notebook weighs.
                request_save_on_cell_execute=False,
                autosave_cell_every=0,
                # Not over TCP, where other users of the machine could reach the kernel.
                config=Config(KernelManager={"transport": "ipc", "connection_file": f"{runtime}/kernel.json"}),
            )
            try:
                return executed.result()
            except BaseException:
                _end(executed, runtime)
                raise
    except papermill.PapermillExecutionError as error:
        raise ProgramError(
            f"Cell {error.exec_count} of {source.name} failed with {error.ename}: {error.evalue} The notebook up to "
            f"that cell is {output}."
        ) from error


def _executed(source: Path, output: Path, **options: Any) -> nbformat.NotebookNode:
    """Execute a notebook in a thread, whose event loop nobody else closes."""
    try:
        return papermill.execute_notebook(str(source), str(output), **options)
    finally:
        asyncio.get_event_loop().close()


def _end(execution: Future[Any], runtime: str) -> None:
    """End an execution with its kernel, which may not have begun yet."""
    while not execution.done():
        for child in psutil.Process().children():
            with suppress(psutil.NoSuchProcess):
                if f"{runtime}/kernel.json" in " ".join(child.cmdline()):
                    child.kill()
        wait([execution], timeout=0.1)


def main() -> int:
    """Execute a notebook with parameters given as JSON; give the exit status."""
    source, output, parameters = sys.argv[1:]
    try:
        execute_notebook(Path(source), Path(output), json.loads(parameters))
    except EmlabError as error:
        print(error, file=sys.stderr)  # noqa: T201 - whoever started the process reads it
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
