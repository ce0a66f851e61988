"""The live view as a page of its own: a Jupyter server on this machine that shows nothing else."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from emlab.report import notebook

_SHARE = Path(__file__).parent / "share" / "jupyter"
_EXTENSIONS = {
    "emlab_widgets.server_extension": True,
    "voila.server_extension": True,
    "jupyterlab": False,
    "jupyter_lsp": False,
    "jupyter_server_terminals": False,
    "notebook_shim": False,
}
_WIDGETS = [
    "@jupyter-widgets/jupyterlab-manager",
    "@voila-dashboards/widgets-manager8",
    "anywidget",
    "bqplot",
    "bqscales",
]
"""JupyterLab's extensions that the page needs; others of a person's would only slow it down."""
_IDLE = 120
"""Seconds after which the kernel of a page that is gone ends; a page that is there speaks every few seconds."""


@dataclass(frozen=True)
class PageServer:
    """How to start the server, and where its page is.

    Attributes
    ----------
    arguments, environment
        Of the process.
    address
        The page's URL, with the token that opens it; the server prints it when it answers.
    """

    arguments: list[str]
    environment: dict[str, str]
    address: str


def page_server(session: Path, port: int, token: str, runtime: Path) -> PageServer:
    """Tell how to serve the live view of a session on a port of this machine.

    Parameters
    ----------
    token
        Whoever has it can look; it travels by the environment, since anyone can read a process's arguments.
    runtime
        A folder of the server's own, with a short path: the addresses of its kernels' sockets lie in it.
    """
    options = {
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.port": port,
        "ServerApp.port_retries": 0,
        "ServerApp.open_browser": False,
        "ServerApp.allow_root": True,
        "ServerApp.root_dir": str(notebook("monitor").parent),
        "ServerApp.jpserver_extensions": repr(_EXTENSIONS),
        "ServerApp.log_level": "WARN",
        "PasswordIdentityProvider.allow_password_change": False,
        "VoilaConfiguration.template": "emlab",
        "VoilaConfiguration.extension_allowlist": repr(_WIDGETS),
        "MappingKernelManager.cull_idle_timeout": _IDLE,
        "MappingKernelManager.cull_interval": 15,
        # Not over TCP, where other users of the machine could reach the kernel.
        "KernelManager.transport": "ipc",
    }
    address = f"http://127.0.0.1:{port}/voila/render/monitor.ipynb?token={token}"
    environment = {
        "EMLAB_SESSION": str(session.resolve()),
        "EMLAB_ADDRESS": address,
        "JUPYTER_TOKEN": token,
        # Ours alone: a person's own Jupyter configuration may ask for passwords, other addresses, other extensions.
        "JUPYTER_NO_CONFIG": "1",
        "JUPYTER_RUNTIME_DIR": str(runtime),
        "JUPYTER_PATH": os.pathsep.join(filter(None, (str(_SHARE), os.environ.get("JUPYTER_PATH")))),
    }
    return PageServer(
        arguments=[sys.executable, "-m", "jupyter_server", *(f"--{name}={value}" for name, value in options.items())],
        environment={**os.environ, **environment},
        address=address,
    )
