"""One item for one run: what travels to a worker, and what comes back."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from emlab.model import Record

Cause = Literal["item", "worker", "outage"]
"""Of trouble: perhaps the item itself; its worker, that was killed or died; a disk or a machine that is away."""


@dataclass(frozen=True)
class Task:
    """An item to be processed.

    Attributes
    ----------
    run, key
        Which run, which item.
    protocol, parameters
        The protocol's name and its validated values.
    records
        One of each kind that the protocol consumes; the batch of a fold.
    root
        The session's folder; paths in records are relative to it.
    folder
        Where outputs go, relative to ``root``.
    attempt
        1 for the first.
    time_limit
        Seconds after which its process is killed.
    sources
        Folders that files come from, absolute.
    before
        What a fold made of the batch before.
    """

    run: str
    key: str
    protocol: str
    parameters: dict[str, Any]
    records: tuple[Record, ...]
    root: str
    folder: str
    attempt: int = 1
    time_limit: float = math.inf
    before: Record | None = None
    sources: tuple[str, ...] = ()


@dataclass(frozen=True)
class Trouble:
    """Why an item failed.

    ``retry`` says whether trying again may help; ``disk_full`` that the disk, not the item, is to blame; ``away``
    which place is to blame, that cannot be looked into.
    """

    error: str
    message: str
    traceback: str
    retry: bool
    disk_full: bool = False
    cause: Cause = "item"
    away: str = ""


@dataclass(frozen=True)
class Outcome:
    """What became of a task: a record, or trouble.

    Attributes
    ----------
    started
        When the worker began, seconds of the machine's monotonic clock.
    seconds, cpu_seconds
        What it took.
    remark
        A sentence where the card could not do it as it should have.
    spent
        Whether CUDA works no more in the worker's process.
    """

    task: Task
    worker: str
    device: str
    started: float
    seconds: float
    cpu_seconds: float
    record: Record | None = None
    trouble: Trouble | None = None
    remark: str = ""
    spent: bool = False
