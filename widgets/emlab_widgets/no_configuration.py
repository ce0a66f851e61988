"""The empty folder that Jupyter reads where it is to have no configuration."""

from __future__ import annotations

import os
import tempfile

from jupyter_core.paths import jupyter_config_dir


def keep_no_configuration() -> None:
    """Have this process, and its copies, keep that folder in the server's own, with which it goes.

    By itself each process would make one of its own, among everybody's temporary files, and leave it there.
    """
    usual, tempfile.tempdir = tempfile.tempdir, os.environ.get("JUPYTER_RUNTIME_DIR")
    try:
        jupyter_config_dir()  # remembers it
    finally:
        tempfile.tempdir = usual
