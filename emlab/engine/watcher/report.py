"""What a watcher has to say about something that is not an arrival."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["changed", "duplicate", "folder", "foreign", "pending", "stalled"]


@dataclass(frozen=True, kw_only=True)
class Report:
    """A sentence about a file or a folder.

    Attributes
    ----------
    kind
        ``pending``: not complete yet. ``stalled``: not complete, and nothing has happened for long.
        ``foreign``: not of a format that can be read. ``duplicate``: a copy of a file that was taken.
        ``changed``: written to after it was taken. ``folder``: a folder went away, came back or cannot be
        read or watched.
    path
        Absolute path of the file or the folder.
    key
        The item's name, unique in the session; ``None`` for a folder.
    message
        What was found, what was expected and what follows.
    final
        Whether this settles the file: it will be no arrival.
    """

    kind: Kind
    path: str
    key: str | None
    message: str
    final: bool = False
