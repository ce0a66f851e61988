"""What the server of a page does beyond Jupyter's own."""

from __future__ import annotations

import os
from typing import Any

from emlab_widgets.warm_kernel import offer


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "emlab_widgets.server_extension"}]


def _load_jupyter_server_extension(server: Any) -> None:
    """Let a page end its kernel when it is closed or loaded again.

    The request for that is refused without the token that guards against requests from other sites, and Voila
    does not give its pages one (https://github.com/voila-dashboards/voila/issues/1458). It reads its configuration
    after this: extensions are loaded in the order of their names.
    """
    offer()
    server.config.VoilaConfiguration.prelaunch_hook = _give_token


async def _start_jupyter_server_extension(server: Any) -> None:
    """Print the page's address now that it answers."""
    print(f"http://{server.ip}:{server.port}{os.environ['EMLAB_PAGE']}", flush=True)  # noqa: T201


def _give_token(request: Any, notebook: Any, cwd: str) -> None:
    # Reading the property sets the cookie.
    request.xsrf_token  # noqa: B018
