"""The sessions that are there already, the newest first."""

from __future__ import annotations

import sqlite3
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
    sessions = sorted((path.parent for path in folder.glob(f"*/{DATABASE}")), key=_changed_at, reverse=True)
    items = [item for session in sessions[:_SHOWN] if (item := _item(session))]
    if not items:
        return ""
    return f'<div class="emlab-sessions"><h2>Sessions in {escape(str(folder))}</h2><ul>{"".join(items)}</ul></div>'


def _changed_at(session: Path) -> float:
    try:
        return session.stat().st_ctime
    except OSError:  # it has just gone
        return 0.0


def _item(path: Path) -> str:
    try:
        with open_session(path) as session:
            name, state, created = session.name, session.state, session.created_at
    except (EmlabError, OSError):  # being created, or going
        return ""
    except sqlite3.Error as error:  # another program's database, or one that another host has locked
        return f"<li>{escape(path.name)} <small>cannot be read: {escape(str(error))}</small></li>"
    address = f"monitor.ipynb?session={quote(path.name)}"
    return f'<li><a href="{escape(address)}">{escape(name)}</a>{badge(state)}<small>{moment(created)}</small></li>'
