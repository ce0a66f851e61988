"""``python -m emlab_widgets.serve`` is Jupyter's server, beside a process that imports what its kernels need."""

from __future__ import annotations

import os
import shutil
from multiprocessing import forkserver


def main() -> None:
    """Serve, with the options of ``jupyter server``; then nothing is left of its folder."""
    forkserver.set_forkserver_preload(["emlab_widgets.everything"])
    forkserver.ensure_running()
    # After that: they take seconds, and the other process does, too.
    from jupyter_server.serverapp import main as serve

    from emlab_widgets.no_configuration import keep_no_configuration

    keep_no_configuration()
    try:
        serve()
    finally:
        shutil.rmtree(os.environ["JUPYTER_RUNTIME_DIR"], ignore_errors=True)


if __name__ == "__main__":
    main()
