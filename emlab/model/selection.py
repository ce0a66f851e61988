"""Whether a micrograph goes on to the next protocol, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emlab.model.record import Record


@dataclass(frozen=True, kw_only=True)
class Accepted(Record):
    """A micrograph that met every limit.

    Attributes
    ----------
    micrograph
        Its image.
    reason
        The limits that it met, in words.
    """

    kind: ClassVar[str] = "accepted"
    plural: ClassVar[str] = "accepted"

    micrograph: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Rejected(Record):
    """A micrograph that missed a limit.

    Attributes
    ----------
    micrograph
        Its image.
    reason
        Each limit that it missed, with its value, in words.
    """

    kind: ClassVar[str] = "rejected"
    plural: ClassVar[str] = "rejected"

    micrograph: str
    reason: str
