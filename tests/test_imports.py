"""What is loaded before it is needed: nothing that takes long."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["emlab.cli", "emlab.session", "emlab.engine.runner"])
def test_commands_and_forms_do_not_wait_for_what_only_items_need(module: str) -> None:
    program = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    heavy = {"numba", "scipy", "pandas", "cupy", "IPython", "ipywidgets", "distributed", "papermill", "nbconvert"}
    assert not heavy & set(done.stdout.split())
