"""Pages of their own, live view and launch form: a Jupyter server on this machine that shows nothing else."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from emlab.python import python_module
from emlab.report import notebook
from emlab_widgets.page import SESSION, SESSIONS, TEMPLATE

_SHARE = Path(__file__).parent / "share" / "jupyter"
_EXTENSIONS = {
    "emlab_widgets.server_extension": True,
    "voila.server_extension": True,
    "jupyterlab": False,
    "jupyter_lsp": False,
    "jupyter_server_terminals": False,
    "notebook_shim": False,
}
WIDGETS = [
    "@jupyter-widgets/jupyterlab-manager",
    "@voila-dashboards/widgets-manager8",
    "anywidget",
    "bqplot",
    "bqscales",
]
"""JupyterLab's extensions that the page needs; others of a person's would only slow it down."""
_MESSAGES = ["comm_open", "comm_close", "comm_msg", "comm_info_request", "kernel_info_request", "shutdown_request"]
"""What a page says to its kernel; code is not among it."""
READ_ONLY = "EMLAB_READ_ONLY"
"""Variable of a server's environment: where it is set, pages have nothing that changes a session."""
_IDLE = 120
"""Seconds after which the kernel of a page that is gone ends; a page that is there speaks every few seconds."""


@dataclass(frozen=True)
class PageServer:
    """How to start the server, and where its first page is.

    Attributes
    ----------
    arguments, environment
        Of the process.
    page
        The page's path, with the token that opens it; the server prints the whole address when it answers.
    """

    arguments: list[str]
    environment: dict[str, str]
    page: str


def page_server(
    port: int,
    token: str,
    runtime: Path,
    *,
    session: Path | None = None,
    sessions: Path | None = None,
    template: str | None = None,
    other_ports: int = 0,
) -> PageServer:
    """Tell how to serve pages on a port of this machine: one session's live view, or the form that starts sessions.

    Parameters
    ----------
    token
        Whoever has it can use the pages; it travels by the environment, since anyone can read a process's arguments.
    runtime
        A folder of the server's own, with a short path: the addresses of its kernels' sockets lie in it, and copies
        of the pages.
    session
        The session to show; or
    sessions
        the folder that the form creates sessions in, whose live views are served too.
    template
        One for the form beyond those that are known by name.
    other_ports
        How many others to try if the port is taken meanwhile.
    """
    names = ("monitor",) if session else ("launch", "monitor")
    pages = runtime / "pages"
    pages.mkdir(parents=True, exist_ok=True)
    for name in names:
        shutil.copy(notebook(name), pages)
    options = {
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.port": port,
        "ServerApp.port_retries": other_ports,
        "ServerApp.open_browser": False,
        "ServerApp.allow_root": True,
        "ServerApp.root_dir": str(pages),
        "ServerApp.jpserver_extensions": repr(_EXTENSIONS),
        "ServerApp.log_level": "WARN",
        "ServerApp.authorizer_class": "emlab_widgets.authorizer.PageAuthorizer",
        "PasswordIdentityProvider.allow_password_change": False,
        "VoilaConfiguration.template": "emlab",
        "VoilaConfiguration.extension_allowlist": repr(WIDGETS),
        # What a kernel shows comes late on a busy machine; after 4 s Voila would give a page without it.
        "VoilaExecutor.iopub_timeout": 60,
        "MappingKernelManager.allowed_message_types": repr(_MESSAGES),
        "MappingKernelManager.cull_idle_timeout": _IDLE,
        "MappingKernelManager.cull_interval": 15,
        "KernelProvisionerFactory.default_provisioner_name": "emlab-warm",
        # Not over TCP, where other users of the machine could reach the kernel.
        "KernelManager.transport": "ipc",
    }
    page = f"/voila/render/{names[0]}.ipynb?token={token}"
    shown = {SESSION: session, SESSIONS: sessions, TEMPLATE: template}
    environment = {
        **{name: str(value) for name, value in shown.items() if value is not None},
        "EMLAB_PAGE": page,
        "JUPYTER_TOKEN": token,
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # it warns of how Python itself is packed
        # Ours alone: a person's own Jupyter configuration may ask for passwords, other addresses, other extensions.
        "JUPYTER_NO_CONFIG": "1",
        "JUPYTER_RUNTIME_DIR": str(runtime),
        "JUPYTER_PATH": os.pathsep.join(filter(None, (str(_SHARE), os.environ.get("JUPYTER_PATH")))),
    }
    inherited = {name: value for name, value in os.environ.items() if name not in shown}
    return PageServer(
        arguments=python_module("emlab_widgets.serve", *(f"--{name}={value}" for name, value in options.items())),
        environment={**inherited, **environment},
        page=page,
    )
