"""A notebook is executed with its parameters, or the error is told."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nbformat
import psutil
import pytest

from emlab.errors import ParameterError, ProgramError
from emlab.python import python_module
from emlab.report.execute import execute_notebook
from emlab.report.run import NotebookRun

KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A notebook that divides."""
    parameters = nbformat.v4.new_code_cell("divisor = 1", metadata={"tags": ["parameters"]})
    cells = [parameters, nbformat.v4.new_code_cell("print(6 / divisor)"), nbformat.v4.new_code_cell("print('after')")]
    path = tmp_path / "divide.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=KERNEL), path)
    return path


def outputs(notebook: nbformat.NotebookNode) -> str:
    return "".join(output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", []))


def test_a_notebook_is_executed_with_its_parameters(source: Path, tmp_path: Path) -> None:
    output = tmp_path / "records" / "out.ipynb"
    executed = execute_notebook(source, output, {"divisor": 2})
    assert outputs(executed) == "3.0\nafter\n"
    assert outputs(nbformat.read(output, as_version=4)) == "3.0\nafter\n"


def test_a_parameter_that_the_notebook_does_not_know_is_refused(source: Path, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"no parameter dividend; there are: divisor"):
        execute_notebook(source, tmp_path / "out.ipynb", {"dividend": 2})
    assert not (tmp_path / "out.ipynb").exists()


def test_a_cell_that_fails_is_told_by_a_process_of_its_own(source: Path, tmp_path: Path) -> None:
    run = NotebookRun(source, tmp_path / "out.ipynb", {"divisor": 0})
    with pytest.raises(ProgramError, match="Cell .* of divide.ipynb failed with ZeroDivisionError"):
        run.raise_for_failure()
    assert run.poll() == 1
    assert "after" not in outputs(nbformat.read(tmp_path / "out.ipynb", as_version=4))


def test_an_interruption_ends_the_kernel_and_says_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(tmp_path / "begun")
    cell = nbformat.v4.new_code_cell(f"import time\nopen({str(tmp_path / 'begun')!r}, 'w').close()\ntime.sleep(600)")
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), tmp_path / "long.ipynb")

    def interrupt() -> None:
        (tmp_path / "begun").read_text()
        os.kill(os.getpid(), signal.SIGINT)

    before = set(psutil.Process().children())
    # dask_jobqueue, which another test may have imported in this process, exits instead.
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    watcher = threading.Thread(target=interrupt)
    watcher.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            execute_notebook(tmp_path / "long.ipynb", tmp_path / "out.ipynb", {})
    finally:
        signal.signal(signal.SIGINT, handler)
    watcher.join()
    assert set(psutil.Process().children()) <= before
    assert capfd.readouterr() == ("", "")


def test_a_report_that_is_ended_leaves_nothing_behind(invent: Any, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "begun")
    cells = [
        nbformat.v4.new_code_cell('session = ""', metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell(f"import time\nopen({str(tmp_path / 'begun')!r}, 'w').close()\ntime.sleep(600)"),
    ]
    (tmp_path / "look").mkdir()
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=KERNEL), tmp_path / "look" / "report.ipynb")
    invented = invent(tmp_path / "session")
    with invented.open() as session:
        session.configure_report(template=tmp_path / "look")
    with TemporaryDirectory() as temporary:  # a short path, as that of a kernel's socket has to be
        report = subprocess.Popen(
            python_module("emlab.report", str(invented.path)), env={**os.environ, "TMPDIR": temporary}
        )
        (tmp_path / "begun").read_text()
        (kernel,) = psutil.Process(report.pid).children()
        report.terminate()
        assert report.wait() == 128 + signal.SIGTERM
        assert not kernel.is_running()
        assert list(Path(temporary).iterdir()) == []
    invented.close()
