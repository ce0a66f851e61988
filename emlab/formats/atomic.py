"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_TEMPORARY = re.compile(r"\..+\.\d+-[0-9a-f]{8}\.tmp")


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Temporary path beside ``path`` that takes its name, durably, when the block ends well.

    The file, then its folder, reach the disk before the block's end: a name that was seen survives a power cut
    together with its content. When the block fails nothing is left.
    """
    target = Path(path)
    temporary = target.with_name(f".{target.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
    try:
        yield temporary
        sync(temporary)
        temporary.replace(target)
        sync(target.parent)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def sync(path: str | Path) -> None:
    """Wait until a file's content, or a folder's names, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sweep(folder: str | Path) -> list[Path]:
    """Temporary files below ``folder`` that nobody goes on with, now removed; for whoever alone may write there.

    Whether the process that wrote one lives is not asked: another may have its number after a reboot.
    """
    left = [
        Path(place, name)
        for place, _, names in os.walk(folder)
        for name in names
        if name.endswith(".tmp") and _TEMPORARY.fullmatch(name)
    ]
    for file in left:
        file.unlink(missing_ok=True)
    return left
