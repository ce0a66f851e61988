"""The entries of a Scipion workflow: a flat JSON object for each protocol, joined by pointers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from emlab.errors import WorkflowError

_CLASS: Final = "object.className"
_POINTER: Final = re.compile(r"(\d+)\.(?:__attribute__)?[A-Za-z_]\w*(?:\.\w+)*")
_ITSELF: Final = re.compile(r"(\d+)\.?")
_POINTS: Final = re.compile(r"input|xmippParticlePicking$")
"""Names of parameters that point at a protocol itself."""


@dataclass(frozen=True)
class Entry:
    """One protocol of a Scipion workflow.

    Attributes
    ----------
    kind
        The class's name.
    id
        What pointers call it.
    label
        For people.
    values
        Its parameters as the file has them.
    """

    kind: str
    id: str
    label: str
    values: dict[str, Any]

    @cached_property
    def inputs(self) -> dict[str, tuple[str, ...]]:
        """The parameters that point at other protocols, with the ids of those."""
        found = {name: tuple(_targets(name, value)) for name, value in self.values.items()}
        return {name: ids for name, ids in found.items() if ids}

    def __str__(self) -> str:
        return f"{self.label} ({self.kind})" if self.label else self.kind


def read_entries(found: Sequence[Any], origin: str) -> list[Entry]:
    """Entries in an order in which each comes after those that it points at.

    Raises
    ------
    WorkflowError
        If one is not a protocol, two have the same id, or they wait for each other in a circle.
    """
    entries: dict[str, Entry] = {}
    for number, values in enumerate(found, 1):
        if not isinstance(values, dict) or not isinstance(values.get(_CLASS), str):
            raise WorkflowError(f"{origin}: entry {number} of the list is not a Scipion protocol: it has no {_CLASS}.")
        identity = str(values.get("object.id", f"entry {number}"))
        if identity in entries:
            raise WorkflowError(f"{origin}: two protocols have the id {identity}; give each its own id.")
        label = str(values.get("object.label") or "").strip()
        own = {name: value for name, value in values.items() if not name.startswith("object.")}
        entries[identity] = Entry(values[_CLASS], identity, label, own)
    return list(_ordered(entries, origin))


def _ordered(entries: dict[str, Entry], origin: str) -> Iterator[Entry]:
    waiting = dict(entries)
    while waiting:
        ready = [
            entry
            for entry in waiting.values()
            if not any(identity in waiting for ids in entry.inputs.values() for identity in ids)
        ]
        if not ready:
            circle = ", ".join(map(str, waiting.values()))
            raise WorkflowError(f"{origin}: these protocols wait for each other: {circle}.")
        for entry in ready:
            del waiting[entry.id]
            yield entry


def _targets(name: str, value: Any) -> Iterator[str]:
    for pointer in value if isinstance(value, list) else [value]:
        if isinstance(pointer, str):
            # A plain number points at a protocol only where one is expected; elsewhere it is a GPU, say.
            match = _POINTER.fullmatch(pointer) or (_ITSELF.fullmatch(pointer) if _POINTS.match(name) else None)
            if match:
                yield match[1]
