"""What every record of an incremental set has."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar


@dataclass(frozen=True, kw_only=True)
class Record:
    """The facts about one thing, with units; pixels stay in files that it points to.

    Fields are ``str``, ``int``, ``float``, ``bool``, ``tuple[float, ...]`` (a short series) or one of
    these or ``None``: each becomes a typed column of the session's database. Paths of outputs are relative
    to the session's folder, with ``/``; paths of what the microscope wrote are absolute.

    Attributes
    ----------
    key
        The item's name in the session, the same in every set that it flows through.
    acquired_at
        When the microscope took it, seconds since 1970-01-01 UTC; ``None`` if unknown.
    """

    kind: ClassVar[str] = "record"
    plural: ClassVar[str] = "records"

    key: str
    acquired_at: float | None = None


def shared(record: Record, kind: type[Record]) -> dict[str, Any]:
    """The fields that a record has as one of ``kind``, by their names: to make another such record."""
    return {field.name: getattr(record, field.name) for field in fields(kind)}
