"""Finding new files below a folder at a cost that grows with what is new."""

from __future__ import annotations

import os
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass

from emlab.engine.watcher.patterns import Patterns
from emlab.engine.watcher.tree import Tree

GRANULARITY = 3.0
"""How long a folder's modification time may hide a change, seconds: network servers and FAT round to 1 or 2 s."""
THOROUGH_EVERY = 60.0
"""How often each folder is listed although its modification time has not changed, seconds: network clients may
show an old one for that long."""


@dataclass
class _Folder:
    modified: int = -1
    changed_at: float = 0.0
    listed_at: float = 0.0


class FolderScan:
    """The files below a folder that match patterns, found again and again.

    A folder is listed only when its modification time has changed; a look at a tree in which nothing happened
    costs one ``stat`` per folder.

    Parameters
    ----------
    root
        Absolute path.
    patterns
        Which files are meant; folders that cannot hold any are not entered.
    known
        Paths to pass over.
    before_listing
        Called with each folder just before it is listed.

    Attributes
    ----------
    troubles
        Why a folder cannot be read, by its path; as of the last look.
    """

    def __init__(
        self, root: str, patterns: Patterns, known: Container[str], before_listing: Callable[[str], None]
    ) -> None:
        self.troubles: dict[str, str] = {}
        self._root = root
        self._tree = Tree(root, patterns)
        self._known = known
        self._before_listing = before_listing
        self._folders = {root: _Folder()}
        self._thorough_at: float | None = None

    def changed(self, now: float) -> Iterator[str]:
        """Paths of files that are not known, in folders that have changed since the last look.

        Parameters
        ----------
        now
            Seconds, of any clock.
        """
        thorough = self._thorough_at is None or not self._thorough_at <= now < self._thorough_at + THOROUGH_EVERY
        if thorough:
            self._thorough_at = now
        for path in list(self._folders):
            yield from self._visited(path, now, thorough=thorough)

    def below(self, folder: str, now: float) -> Iterator[str]:
        """Paths of files that are not known, in one folder that has just appeared and below it."""
        if self._tree.may_hold(folder):
            self._folders[folder] = _Folder()
            yield from self._visited(folder, now, thorough=True)

    def distrust(self) -> None:
        """List every folder in the next look."""
        self._thorough_at = None

    def relative(self, path: str) -> str:
        """``path`` as the patterns see it."""
        return self._tree.relative(path)

    def _visited(self, path: str, now: float, *, thorough: bool) -> Iterator[str]:
        folder = self._folders.get(path)
        if folder is None:
            return
        try:
            modified = os.stat(path).st_mtime_ns  # noqa: PTH116 - hundreds of folders a second
            if modified != folder.modified:
                folder.modified, folder.changed_at = modified, now
            elif not thorough and folder.listed_at - folder.changed_at > GRANULARITY:
                return
            self._before_listing(path)
            files, folders = self._listed(path)
        except OSError as error:
            self._lost(path, error)
            return
        folder.listed_at = now
        self.troubles.pop(path, None)
        yield from files
        for below in folders:
            self._folders[below] = _Folder()
            yield from self._visited(below, now, thorough=thorough)

    def _listed(self, path: str) -> tuple[list[str], list[str]]:
        """New files that are meant and new folders."""
        files, folders = [], []
        with os.scandir(path) as entries:
            for entry in entries:
                if entry.path in self._known or entry.path in self._folders:
                    continue
                kind = self._tree.kind(entry)
                if kind == "folder":
                    folders.append(entry.path)
                elif kind == "file" and self._tree.patterns.match(self.relative(entry.path)):
                    files.append(entry.path)
        return sorted(files), sorted(folders)

    def _lost(self, path: str, error: OSError) -> None:
        gone = isinstance(error, FileNotFoundError | NotADirectoryError)
        if gone and path != self._root:
            del self._folders[path]
            self.troubles.pop(path, None)
            return
        # Listed again as soon as it answers, whatever its modification time is then.
        self._folders[path] = _Folder()
        self.troubles[path] = error.strerror or str(error)
