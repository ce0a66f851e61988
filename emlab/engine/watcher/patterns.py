"""Which files are meant: glob patterns relative to the watched folder."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fnmatch import translate
from pathlib import PurePosixPath

from emlab.errors import ParameterError

_NOTHING = "(?!)"


class Patterns:
    """Glob patterns relative to a folder: ``*.tiff``, ``GridSquare_*/Data/*_EER.eer``, ``**/*.mrc``.

    ``*``, ``?`` and ``[…]`` match within a name and ``**`` any number of folders, none included. Upper and lower
    case differ, but not in what follows the last dot of a file's name: ``*.tif`` means ``.TIF`` too. A pattern that
    begins with ``!`` leaves out what it matches. Names that begin with a dot are matched only by patterns that do, so
    that the temporary files of copying programs are not taken.

    Raises
    ------
    ParameterError
        If no pattern takes files in, or one leads out of the folder.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        given = list(patterns)
        self._taken = [_segments(pattern) for pattern in given if not pattern.startswith("!")]
        self._left_out = [_segments(pattern[1:]) for pattern in given if pattern.startswith("!")]
        if not self._taken:
            raise ParameterError("There is no pattern for the files to take; give one such as **/*.tiff.")
        self._by_folder: dict[str, tuple[re.Pattern[str], re.Pattern[str]]] = {}

    def match(self, file: str) -> bool:
        """Whether a file is meant; ``file`` is relative to the folder, with ``/``."""
        folder, _, name = file.rpartition("/")
        if folder not in self._by_folder:
            parts = folder.split("/") if folder else []
            self._by_folder[folder] = (_names_in(parts, self._taken), _names_in(parts, self._left_out))
        taken, left_out = self._by_folder[folder]
        return bool(taken.match(name)) and not left_out.match(name)

    def may_lie_in(self, folder: str) -> bool:
        """Whether files that are meant may lie in a folder or below it; ``folder`` is relative, with ``/``."""
        parts = folder.split("/")
        return any(_leads_on(parts, pattern) for pattern in self._taken)


def _segments(pattern: str) -> tuple[str, ...]:
    path = PurePosixPath(pattern)
    if path.is_absolute() or ".." in path.parts:
        raise ParameterError(f"The pattern {pattern!r} leads out of the folder; give it relative to the folder.")
    if not path.parts:
        raise ParameterError(f"The pattern {pattern!r} matches no file; give one such as **/*.tiff.")
    return (*path.parts, "*") if path.parts[-1] == "**" else path.parts


def _names_in(folder: Sequence[str], patterns: Iterable[Sequence[str]]) -> re.Pattern[str]:
    """What the patterns want the files of one folder to be called."""
    names = [_in_any_case(pattern[-1]) for pattern in patterns if _matches(folder, pattern[:-1])]
    return re.compile("|".join(map(_expression, names)) or _NOTHING)


def _in_any_case(name: str) -> str:
    """The pattern with an ending that may be written in capitals."""
    stem, dot, ending = name.rpartition(".")
    if not ending.isalnum():
        return name
    return stem + dot + "".join(f"[{letter.lower()}{letter.upper()}]" for letter in ending)


def _matches(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return _matches(parts, pattern[1:]) or (bool(parts) and parts[0][0] != "." and _matches(parts[1:], pattern))
    return bool(parts) and _is_named(parts[0], pattern[0]) and _matches(parts[1:], pattern[1:])


def _leads_on(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    if not parts:
        return bool(pattern)
    if not pattern:
        return False
    if pattern[0] == "**":
        return _leads_on(parts, pattern[1:]) or (parts[0][0] != "." and _leads_on(parts[1:], pattern))
    return _is_named(parts[0], pattern[0]) and _leads_on(parts[1:], pattern[1:])


def _is_named(name: str, pattern: str) -> bool:
    return re.match(_expression(pattern), name) is not None


def _expression(pattern: str) -> str:
    unhidden = "" if pattern[0] == "." else r"(?!\.)"
    return unhidden + translate(pattern)
