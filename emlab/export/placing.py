"""Files of a session where another program looks for them."""

from __future__ import annotations

import os
import secrets
import shutil
from pathlib import Path


def place(source: Path, target: Path, *, copy: bool, within: Path) -> None:
    """Have ``target`` be ``source``, replacing what is there in one step.

    Parameters
    ----------
    copy
        Whether it is a file of its own; else a symbolic link.
    within
        A folder that is moved as a whole: a link between two files in it is relative, any other absolute.
    """
    if copy:
        if _is_current(source, target):
            return
    elif target.is_symlink() and target.resolve() == source.resolve():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        if copy:
            shutil.copy2(source, temporary)
        elif source.is_relative_to(within) and target.is_relative_to(within):
            temporary.symlink_to(os.path.relpath(source, target.parent))
        else:
            temporary.symlink_to(source)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def is_newer(source: Path, target: Path) -> bool:
    """Whether ``target`` is not there, or older than what it is made of."""
    try:
        return target.stat().st_mtime_ns < source.stat().st_mtime_ns
    except FileNotFoundError:
        return True


def _is_current(source: Path, target: Path) -> bool:
    if target.is_symlink() or not target.exists():
        return False
    ours, theirs = source.stat(), target.stat()
    return (ours.st_size, ours.st_mtime_ns) == (theirs.st_size, theirs.st_mtime_ns)
