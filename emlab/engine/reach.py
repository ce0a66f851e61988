"""Whether what cannot be read is a file alone, or the disk or the server that it lies on; for a worker to find out."""

from __future__ import annotations

import errno
from collections.abc import Iterable
from pathlib import Path

BROKEN = {errno.EIO, errno.EREMOTEIO, errno.ESTALE}
"""What is said of a file alone, and of each where their disk or server is away."""
ALWAYS = {
    errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ENODEV, errno.ENOTCONN, errno.ENXIO, errno.EROFS, errno.ETIMEDOUT,
}  # fmt: skip
"""What is never said of a file alone."""


def place_away(path: Path, places: Iterable[Path], number: int | None) -> str:
    """The place of a file if that is away, and not the file alone; empty if it can be looked into.

    Parameters
    ----------
    path
        A file that could not be read or written, absolute.
    places
        Folders that are there or away as a whole; a file outside of them is taken by its own folder.
    number
        What the operating system said, of `errno`.
    """
    above = [place for place in places if path.is_relative_to(place)]
    place = max(above, key=lambda place: len(place.parts), default=path.parent)
    try:
        is_empty = next(place.iterdir(), None) is None
    except OSError:
        return str(place)
    # A mount point without its disk is an empty folder.
    is_away = is_empty or number in ALWAYS or (number in BROKEN and not _has_readable_neighbour(path))
    return str(place) if is_away else ""


def _has_readable_neighbour(path: Path) -> bool:
    try:
        neighbour = next((file for file in path.parent.iterdir() if file != path and file.is_file()), None)
        if neighbour is not None:
            with neighbour.open("rb", buffering=0) as file:
                file.read(1)
    except OSError as error:
        return error.errno not in BROKEN
    return True
