"""Which session a page shows."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import parse_qs

from emlab.errors import ParameterError

SESSION = "EMLAB_SESSION"
"""The environment variable with the one session that a server shows."""
SESSIONS = "EMLAB_SESSIONS"
"""The environment variable with the folder whose sessions a server shows and creates."""

TEMPLATE = "EMLAB_TEMPLATE"
"""The environment variable with a template for the form beyond those that are known by name."""


def session_of_page() -> Path:
    """Give the session's folder: the one that the server shows, or the one that the page's address names.

    Raises
    ------
    ParameterError
        If the address names none of the server's folder.
    """
    if only := os.environ.get(SESSION):
        return Path(only)
    folder = os.environ.get(SESSIONS)
    if folder is None:
        return Path()
    name = next(iter(parse_qs(os.environ.get("QUERY_STRING", "")).get("session", [])), "")
    # A name, not a path: with the token comes a look at this folder's sessions and at nothing else.
    if not name or name != Path(name).name or name == "..":
        raise ParameterError(
            f"The page's address names no session; it must end with ?session=NAME, the name of a session in {folder}."
        )
    return Path(folder) / name
