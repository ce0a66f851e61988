"""The form and the live views inside a person's Jupyter server: its port, its login, its address."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager
from jupyter_server.utils import url_path_join
from voila.configuration import VoilaConfiguration
from voila.paths import collect_template_paths
from voila.tornado.handler import TornadoVoilaHandler

from emlab.report import notebook
from emlab_widgets.app import WIDGETS
from emlab_widgets.page import SESSIONS

_PAGES = ("launch", "monitor")
_TEMPLATE = "emlab"


class PageHandler(TornadoVoilaHandler):  # type: ignore[misc]
    """Serves a notebook of emlab's, wherever the server's own files are."""

    @property
    def contents_manager(self) -> Any:
        """What reads the notebook."""
        return self.application.settings["emlab_contents"]


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "emlab_widgets.lab.server_extension"}]


def _load_jupyter_server_extension(server: Any) -> None:
    """Serve ``emlab/launch.ipynb`` and ``emlab/monitor.ipynb``, with sessions in the server's folder."""
    # Kernels inherit it; where it is set, a facility has another place for sessions.
    os.environ.setdefault(SESSIONS, str(Path(server.root_dir) / "sessions"))
    settings = server.web_app.settings
    settings["emlab_contents"] = AsyncLargeFileManager(root_dir=str(notebook("monitor").parent), parent=server)
    pages = {
        "config": server.config,
        "template_paths": collect_template_paths(["voila", "nbconvert"], _TEMPLATE),
        "voila_configuration": VoilaConfiguration(parent=server, template=_TEMPLATE, extension_allowlist=WIDGETS),
    }
    for name in _PAGES:
        page = url_path_join(settings["base_url"], "emlab", rf"{name}\.ipynb")
        server.web_app.add_handlers(".*$", [(page, PageHandler, {"notebook_path": f"{name}.ipynb", **pages})])
