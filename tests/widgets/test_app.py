"""How the live view's server is started."""

from __future__ import annotations

from pathlib import Path

from emlab_widgets.app import page_server


def test_the_token_is_in_the_address_and_the_environment_but_not_among_the_arguments(tmp_path: Path) -> None:
    server = page_server(tmp_path, 8123, "secret", tmp_path / "runtime")
    assert server.address == "http://127.0.0.1:8123/voila/render/monitor.ipynb?token=secret"
    assert server.environment["JUPYTER_TOKEN"] == "secret"
    assert not any("secret" in argument for argument in server.arguments)
    assert "--ServerApp.ip=127.0.0.1" in server.arguments
    assert server.environment["EMLAB_SESSION"] == str(tmp_path)
