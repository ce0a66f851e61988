"""A name for each file that is its own in the session."""

from __future__ import annotations

import hashlib
import os
import re
from collections import defaultdict
from collections.abc import Iterable

_UNWANTED = re.compile(r"[.\s]")


class Keys:
    """The items' keys: the file's name without its suffix, dots and blanks made underscores.

    Only the first file of that name gets it. Another one in another folder gets a digest of its path appended,
    which makes its key the same in every life of the engine.

    Parameters
    ----------
    known
        Absolute paths that have keys already.
    """

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._first: dict[str, str] = {}
        self._further: defaultdict[str, list[str]] = defaultdict(list)
        for path in known:
            self.key_of(path)

    def key_of(self, path: str) -> str:
        """The key of a file; the first to ask owns the plain name."""
        stem = _stem(path)
        if self._first.setdefault(stem, path) == path:
            return stem
        if path not in self._further[stem]:
            self._further[stem].append(path)
        return f"{stem}_{hashlib.blake2b(os.fsencode(path), digest_size=3).hexdigest()}"

    def namesakes(self, path: str) -> list[str]:
        """Files of the same name in other folders, in the order in which they asked."""
        stem, name = _stem(path), _name(path)
        alike = [self._first.get(stem, path), *self._further.get(stem, ())]
        return [other for other in alike if other != path and _name(other) == name]


def printable(path: str) -> str:
    """``path`` with an escape for each byte that is no text, so that it can be written anywhere."""
    return path.encode(errors="backslashreplace").decode()


def _stem(path: str) -> str:
    # Strings, because a watcher asks for every file.
    return _UNWANTED.sub("_", printable(os.path.splitext(_name(path))[0]))  # noqa: PTH122


def _name(path: str) -> str:
    return path.rpartition("/")[2]
