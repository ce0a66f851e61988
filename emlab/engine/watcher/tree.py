"""Which folders below a watched one are looked into: the same ones, whoever looks."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from emlab.engine.watcher.patterns import Patterns
from emlab.errors import ParameterError


class Tree:
    """A folder and those below it that may hold files that are meant.

    Links to folders are followed, once for each target, and not where they lead back inside.

    Parameters
    ----------
    root
        Absolute path.
    """

    def __init__(self, root: str, patterns: Patterns) -> None:
        self.root = root
        self.patterns = patterns
        self._links: dict[Path, str] = {}

    def relative(self, path: str) -> str:
        """``path`` as the patterns see it."""
        return path[len(self.root) :].lstrip("/")

    def may_hold(self, folder: str) -> bool:
        """Whether files that are meant may lie in a folder or below it."""
        return self.patterns.may_lie_in(self.relative(folder))

    def kind(self, entry: os.DirEntry[str]) -> Literal["file", "folder", "closed"] | None:
        """A file, a folder to be looked into, one that no pattern leads into, or none of these.

        Raises
        ------
        OSError
            If the disk or the server cannot say.
        """
        try:
            if entry.is_dir():
                if not self.may_hold(entry.path):
                    return None if entry.name.startswith(".") else "closed"
                return "folder" if not entry.is_symlink() or self._is_followed(entry.path) else None
            return "file" if entry.is_file() else None
        except OSError as error:
            if error.errno == errno.ELOOP:
                return None  # a link to itself, which is no trouble of its folder
            raise

    def _is_followed(self, link: str) -> bool:
        target = Path(link).resolve()
        return not target.is_relative_to(Path(self.root).resolve()) and self._links.setdefault(target, link) == link


def files_below(root: str, patterns: Patterns) -> Iterator[tuple[str, str]]:
    """Paths of files, meant or not, absolute and relative, in a folder and below it.

    A folder that no pattern leads into is given in place of what it holds; its relative path ends with a slash.

    Raises
    ------
    ParameterError
        If the folder itself cannot be read; others that cannot are passed over.
    """
    tree = Tree(root, patterns)
    ahead = [root]
    while ahead:
        folder = ahead.pop()
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    kind = tree.kind(entry)
                    if kind == "folder":
                        ahead.append(entry.path)
                    elif kind is not None:
                        yield entry.path, tree.relative(entry.path) + "/" * (kind == "closed")
        except OSError as error:
            if folder == root:
                raise ParameterError(f"The folder {root} cannot be read: {error.strerror}.") from None
