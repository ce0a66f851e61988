"""What can go wrong between a camera and a disk."""

from __future__ import annotations

from enum import StrEnum


class Fault(StrEnum):
    """Something that a session has to live with; each concerns one movie."""

    SLOW_WRITER = "slow_writer"
    """The file grows frame by frame over the time of one pace."""
    TRUNCATED = "truncated"
    """The last part of the file never comes, and no sidecar."""
    DUPLICATE = "duplicate"
    """The same movie appears once more, under its name, in another grid square's folder."""
    MISSING_SIDECAR = "missing_sidecar"
    """The movie comes without its XML."""
    FOREIGN = "foreign"
    """A file of a movie's name holds something else."""
    BLANK = "blank"
    """The beam was off: hardly an electron arrived."""
