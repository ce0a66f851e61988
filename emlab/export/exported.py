"""What an export wrote."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Exported:
    """What an export wrote, and what it had to leave out.

    Attributes
    ----------
    folder
        Where it is.
    files
        Those to open in the other program.
    micrographs
        How many are in them.
    particles
        And how many of these.
    missing
        Items whose image is no longer where the session says.
    advice
        For people: how to go on.
    """

    folder: Path
    files: tuple[Path, ...]
    micrographs: int
    particles: int
    missing: tuple[str, ...]
    advice: str
