"""How the live view's server is started."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from emlab_widgets.app import page_server
from emlab_widgets.page import session_of_page

from emlab.errors import ParameterError


def test_the_token_is_in_the_address_and_the_environment_but_not_among_the_arguments(tmp_path: Path) -> None:
    server = page_server(8123, "secret", tmp_path / "runtime", session=tmp_path)
    assert server.page == "/voila/render/monitor.ipynb?token=secret"
    assert server.environment["JUPYTER_TOKEN"] == "secret"
    assert not any("secret" in argument for argument in server.arguments)
    assert "--ServerApp.ip=127.0.0.1" in server.arguments
    assert server.environment["EMLAB_SESSION"] == str(tmp_path)


def test_a_server_for_the_form_serves_two_pages_and_forgets_another_servers_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMLAB_SESSION", "/other")
    server = page_server(8123, "secret", tmp_path / "runtime", sessions=tmp_path, template="/t.json")
    assert "/voila/render/launch.ipynb?" in server.page
    assert "EMLAB_SESSION" not in server.environment
    assert (server.environment["EMLAB_SESSIONS"], server.environment["EMLAB_TEMPLATE"]) == (str(tmp_path), "/t.json")
    served = tmp_path / "runtime" / "pages"
    assert f"--ServerApp.root_dir={served}" in server.arguments
    assert sorted(page.name for page in served.iterdir()) == ["launch.ipynb", "monitor.ipynb"]


def test_a_port_that_is_taken_meanwhile_is_not_the_one_whose_address_is_printed(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        server = page_server(taken, "secret", tmp_path, session=tmp_path, other_ports=50)
        with subprocess.Popen(server.arguments, env=server.environment, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            address = urlsplit(process.stdout.readline())
            assert address.port is not None
            assert address.port != taken
            socket.create_connection(("127.0.0.1", address.port)).close()
            process.terminate()


@pytest.mark.parametrize("name", ["", "..", "../other", "/etc", "a/b"])
def test_an_address_shows_a_session_of_the_servers_folder_and_nothing_else(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EMLAB_SESSION", raising=False)
    monkeypatch.setenv("EMLAB_SESSIONS", "/sessions")
    monkeypatch.setenv("QUERY_STRING", urlencode({"token": "x", "session": "grid 1"}))
    assert session_of_page() == Path("/sessions/grid 1")
    monkeypatch.setenv("QUERY_STRING", urlencode({"session": name}))
    with pytest.raises(ParameterError, match="names no session"):
        session_of_page()


def test_the_one_session_of_a_server_is_shown_whatever_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMLAB_SESSION", "/one")
    monkeypatch.setenv("QUERY_STRING", "session=other")
    assert session_of_page() == Path("/one")
