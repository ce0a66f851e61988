"""The sessions that are there already, the newest first."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Final
from urllib.parse import quote

from emlab.errors import EmlabError
from emlab.monitors.words import moment
from emlab.session import DATABASE, open_session
from emlab_widgets.strip import badge

_SHOWN: Final = 8


def sessions_list(folder: Path) -> str:
    """Give links to the live views of the sessions in a folder, as HTML."""
    databases = sorted(folder.glob(f"*/{DATABASE}"), key=lambda path: path.parent.stat().st_ctime, reverse=True)
    items = [item for path in databases[:_SHOWN] if (item := _item(path.parent))]
    if not items:
        return ""
    return f'<div class="emlab-sessions"><h2>Sessions in {escape(str(folder))}</h2><ul>{"".join(items)}</ul></div>'


def _item(path: Path) -> str:
    try:
        with open_session(path) as session:
            name, state, created = session.name, session.state, session.created_at
    except (EmlabError, OSError):  # being created, or going
        return ""
    address = f"monitor.ipynb?session={quote(path.name)}"
    return f'<li><a href="{escape(address)}">{escape(name)}</a>{badge(state)}<small>{moment(created)}</small></li>'
