"""What the kernel tells about files of watched folders, on local file systems."""

from __future__ import annotations

import os
import select
from dataclasses import dataclass
from typing import Literal

from inotify_simple import INotify, flags

_BEGUN, _FOLDER, _FORGOTTEN, _UNWATCHED = map(int, (flags.CREATE, flags.ISDIR, flags.Q_OVERFLOW, flags.IGNORED))
_CAME = _BEGUN | int(flags.MOVED_TO)
_WANTED = _CAME | int(flags.CLOSE_WRITE | flags.ONLYDIR)


@dataclass(frozen=True)
class FileEvent:
    """Something that happened to a path.

    Attributes
    ----------
    what
        ``begun``: a file was created. ``closed``: a writer closed it, or it was moved here whole. ``folder``: a
        folder was created or moved here. ``lost``: so much happened that the kernel forgot some of it; the path is
        empty.
    """

    what: Literal["begun", "closed", "folder", "lost"]
    path: str


class FileEvents:
    """The events of single folders, in their order.

    A folder is watched by itself, not with what is below it: whoever watches a folder first and lists it then
    misses nothing, which a recursive watch cannot promise for folders that appear with files in them.
    """

    def __init__(self) -> None:
        self._inotify = INotify(nonblocking=True)
        self._folders: dict[int, str] = {}

    def watch(self, folder: str) -> None:
        """Hear of this folder from now on; to watch it again does no harm.

        Raises
        ------
        OSError
            If the kernel's limits are reached, or the folder is gone or may not be read.
        """
        self._folders[self._inotify.add_watch(folder, _WANTED)] = folder

    def taken(self) -> list[FileEvent]:
        """What has happened since the last call; does not wait."""
        events = []
        for watch, mask, _, name in self._inotify.read(timeout=0):
            if mask & _FORGOTTEN:
                events.append(FileEvent("lost", ""))
            elif mask & _UNWATCHED:
                self._folders.pop(watch, None)
            elif watch in self._folders:
                path = os.path.join(self._folders[watch], name)  # noqa: PTH118 - one string operation per event
                if mask & _FOLDER:
                    if mask & _CAME:
                        events.append(FileEvent("folder", path))
                else:
                    events.append(FileEvent("begun" if mask & _BEGUN else "closed", path))
        return events

    def register(self, poller: select.poll) -> None:
        """Let ``poller`` return as soon as there is an event."""
        poller.register(self._inotify.fileno(), select.POLLIN)

    def close(self) -> None:
        """Hear nothing any more."""
        self._inotify.close()
