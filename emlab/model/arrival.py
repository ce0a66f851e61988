"""A file that the microscope has finished writing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emlab.model.record import Record


@dataclass(frozen=True, kw_only=True)
class Arrival(Record):
    """A file in the watched folder, complete.

    Attributes
    ----------
    path
        Absolute path.
    size
        Bytes.
    modified
        When it was last written, seconds since 1970-01-01 UTC.
    evidence
        Why it is taken for complete: ``closed``, ``sidecar``, ``frames`` or ``stable``.
    """

    kind: ClassVar[str] = "arrival"
    plural: ClassVar[str] = "arrivals"

    path: str
    size: int
    modified: float
    evidence: str
