"""``python -m emlab_widgets.serve`` is Jupyter's server, beside a process that imports what its kernels need."""

from __future__ import annotations

from multiprocessing import forkserver


def main() -> None:
    """Serve, with the options of ``jupyter server``."""
    forkserver.set_forkserver_preload(["emlab_widgets.everything"])
    forkserver.ensure_running()
    # After that: they take seconds, and the other process does, too.
    from jupyter_server.serverapp import main as serve

    serve()


if __name__ == "__main__":
    main()
